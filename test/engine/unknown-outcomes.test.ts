/**
 * A payment that was asked for, and of which it is not known whether it was made: never sent again on a doubt.
 */
import type { Fault } from '../../sandbox';
import { createNode, engineFor, useEngine, handedOut, savedWith } from '../kit/engine';
import {
	askedFor,
	createOf,
	continueOnError,
	oneOfEach,
	orders,
	countsByReference,
	referenceOf,
	retryOnFail,
	upTo,
} from '../kit/payments';
import { type Execution, variantOfPackage } from './harness';

const { sandbox, engine } = useEngine();

/** Of one request, in ms. */
const timeout = 250;

const troubles: Array<[string, Fault]> = [
	['a timeout, made', { hang: true, made: true }],
	['a timeout, not made', { hang: true }],
	['an answer that comes too late', { latencyMs: 2 * timeout }],
	['a reset before it was handled', { reset: 'before' }],
	['a reset after it was made', { reset: 'after' }],
	['500, made', { status: 500, made: true }],
	['500, not made', { status: 500 }],
	['502 with HTML, made', { status: 502, made: true, body: '<h1>Bad gateway</h1>' }],
	['503 with Retry-After', { status: 503, headers: { 'Retry-After': '1' } }],
	['408, made', { status: 408, made: true }],
	['504, made', { status: 504, made: true, body: '' }],
	...[301, 302, 303, 307, 308].map((status): [string, Fault] => [
		`a redirect with ${status}, made`,
		{ status, redirectTo: '/v1/partner/payments', made: true },
	]),
	['an answer that is cut off', { cutOff: true }],
	['an empty answer', { status: 201, made: true, body: '' }],
	['HTML', { status: 201, made: true, body: '<h1>Thank you</h1>' }],
	['half of an object', { status: 201, made: true, body: '{"id":"pay_abc' }],
	['an empty object', { status: 201, made: true, body: {} }],
	[
		'an object that names no payment',
		{ status: 200, made: true, body: { error: 'Internal error', statusCode: 500 } },
	],
	['a list', { status: 201, made: true, body: [{ id: 'pay_abc' }] }],
	['null', { status: 201, made: true, body: 'null' }],
	['an object about a merchant', { status: 200, made: true, body: { merchant: { id: 42 } } }],
	['no success', { status: 200, made: true, body: { success: false, id: 'pay_abc' } }],
	[
		'another payment',
		{ status: 201, made: true, body: { id: 'pay_abc', referenceNumber: 'OTHER' } },
	],
];

/** How often the payment of ORDER-1 was asked for. */
const asked = () => askedFor(sandbox).filter((reference) => reference === referenceOf(1)).length;

/** What may be said of a retry, since it holds. */
const SAFE_RETRY =
	"Executions → this execution → Retry: it creates none of these payments again (unless 'Resend Unknown' is on).";

/** What n8n says, and nobody may say here, to have a person send a payment again. */
const ADVICE_TO_RETRY =
	/retry|try again|request immediately|perhaps|offline|connection timed out|was aborted/i;

/** The error says that the outcome is not known, and what to do; nothing in what is stored of it advises to retry. */
function expectUnknown(execution: Execution, reference = referenceOf(1)) {
	const error = execution.error!;
	expect(error.name).toBe('NodeApiError');
	expect(error.message).toContain(`Payment '${reference}' may or may not exist`);
	expect(error.description).toContain('Look for this reference in AcountPay');
	expect(error.context).toMatchObject({
		itemIndex: 0,
		outcome: 'unknown',
		paymentsMade: [],
		outcomesUnknown: [{ itemIndex: 0, referenceNumber: reference }],
	});
	expect(error.description).toContain(SAFE_RETRY);
	for (const stored of [error, execution.runs().at(-1)!.error!]) {
		const text = JSON.stringify({ ...stored, node: undefined }).replace(SAFE_RETRY, '');
		expect(text).not.toMatch(ADVICE_TO_RETRY);
	}
}

const order = orders(2).slice(1);

describe.each(troubles)('a create that meets %s', (_what, fault) => {
	beforeEach(() => sandbox.faults.add({ match: createOf(1), ...fault }));

	it('is not sent again by us or by hand, unless resendUnknown is on', async () => {
		const failed = await engine.runNode({ node: createNode({ timeout }), items: order });
		expectUnknown(failed);
		expect(asked()).toBe(1);

		const retried = await engine.retry(failed);
		expectUnknown(retried);
		expect(asked()).toBe(1);

		const node = createNode({ timeout, resendUnknown: true });
		const resent = await engine.retry(retried, savedWith(node));
		expect(handedOut(resent)).toEqual([referenceOf(1)]);
		expect(asked()).toBe(2);
	});

	it("is not sent again by 'Retry On Fail'", async () => {
		const node = createNode({ timeout }, retryOnFail(3));
		expectUnknown(await engine.runNode({ node, items: order }));
		expect(asked()).toBe(1);
	});

	it("is sent again by 'Retry On Fail' once, with resendUnknown", async () => {
		const node = createNode({ timeout, resendUnknown: true }, retryOnFail(3));
		const execution = await engine.runNode({ node, items: order });
		expect(handedOut(execution)).toEqual([referenceOf(1)]);
		expect(asked()).toBe(2);
	});
});

it.each(['ECONNRESET', 'ETIMEDOUT', 'ECONNABORTED'])(
	'our words stay when they hold %s, for which n8n has words of its own',
	async (code) => {
		sandbox.faults.add({ match: { endpoint: 'create' }, reset: 'after' });
		const items = [{ ...order[0], reference: `ORDER ${code}` }];
		expectUnknown(await engine.runNode({ node: createNode(), items }), `ORDER ${code}`);
	},
);

it('resendUnknown sends nothing again within one try', async () => {
	sandbox.faults.add({ match: createOf(1), status: 500, made: true });
	const node = createNode({ resendUnknown: true }, continueOnError);
	const execution = await engine.runNode({ node, items: orders(3) });

	expect(execution.json()[1]).toMatchObject({ details: { outcome: 'unknown', status: 500 } });
	expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(3)));
});

it('the others have their payment when the node goes on, and the error item tells', async () => {
	sandbox.faults.add({ match: createOf(1), reset: 'after' });
	const node = createNode({}, { ...continueOnError, ...retryOnFail(3) });
	const execution = await engine.runNode({ node, items: orders(12) });

	expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(12)));
	const { error, details } = execution.json()[1];
	expect(error).toContain('may or may not exist');
	expect(details).toMatchObject({ outcome: 'unknown' });
});

it('an error of another item names it too', async () => {
	sandbox.faults.add({ match: createOf(1), status: 502, made: true, latencyMs: 200 });
	sandbox.faults.add({ match: createOf(3), status: 422 });
	const { error } = await engine.runNode({ node: createNode(), items: orders(5) });

	expect(error!.context).toMatchObject({
		itemIndex: 3,
		outcomesUnknown: [{ itemIndex: 1, referenceNumber: referenceOf(1) }],
	});
	expect(error!.context.paymentsMade).toHaveLength(3);
	expect(error!.description).toMatch(/May or may not exist \(1\): ORDER-1\b/);
});

describe('an outcome that an earlier try left open', () => {
	it.each([
		["'Retry On Fail'", retryOnFail(2)],
		['a retry by hand', {}],
	])('keeps no other item from being sent by %s, and fails the node', async (_how, settings) => {
		sandbox.faults.add({ match: createOf(1), reset: 'after' });
		const node = createNode({ maxConcurrency: 1 }, settings);
		let execution = await engine.runNode({ node, items: orders(5) });
		if (!('retryOnFail' in settings)) {
			expect(askedFor(sandbox)).toEqual([0, 1].map(referenceOf));
			execution = await engine.retry(execution);
		}

		expect(askedFor(sandbox)).toEqual(upTo(5).map(referenceOf));
		expect(execution.status).toBe('error');
		expect(execution.error).toMatchObject({
			context: {
				itemIndex: 1,
				outcome: 'unknown',
				outcomesUnknown: [{ itemIndex: 1, referenceNumber: referenceOf(1) }],
				paymentsMade: [0, 2, 3, 4].map((itemIndex) => ({ itemIndex })),
			},
		});
	});

	it('is named by the error of an item that is refused now, after which none is sent', async () => {
		sandbox.faults.add({ match: createOf(1), reset: 'after' });
		const node = createNode({ maxConcurrency: 1 });
		const failed = await engine.runNode({ node, items: orders(5) });
		sandbox.faults.add({ match: createOf(3), status: 422 });
		const { error } = await engine.retry(failed);

		expect(askedFor(sandbox)).toEqual(upTo(4).map(referenceOf));
		expect(error!.context).toMatchObject({
			itemIndex: 3,
			outcome: 'refused',
			outcomesUnknown: [{ itemIndex: 1 }],
		});
		expect(error!.description).toMatch(/May or may not exist \(1\): ORDER-1\b/);
	});
});

describe('an unknown outcome that is sent again, which is then', () => {
	const second: Array<[string, Fault]> = [
		['refused', { match: createOf(1), status: 422 }],
		[
			'kept from being sent by a token that is refused',
			{ match: { endpoint: 'token' }, status: 401 },
		],
	];

	it.each(second)('%s, is still unknown', async (_what, fault) => {
		sandbox.faults.add({ match: createOf(1), reset: 'after' });
		const failed = await engine.runNode({ node: createNode(), items: order });
		expectUnknown(failed);
		await engine.credential.setOauthTokenData(undefined);
		sandbox.faults.add(fault);
		const resending = createNode({ resendUnknown: true });
		const again = await engine.retry(failed, savedWith(resending));

		expect(again.status).toBe('error');
		expect(again.error!.description).not.toContain('This payment was not created');
		expect(again.error!.context).toMatchObject({
			outcomesUnknown: [{ itemIndex: 0, referenceNumber: referenceOf(1) }],
		});
		await engine.retry(again, savedWith(createNode()));
		expect(countsByReference(sandbox)).toEqual(oneOfEach([1]));
	});
});

it('an error that nobody expected, after the payment was created, leaves its outcome unknown', async () => {
	const folder = variantOfPackage({
		'dist/nodes/AcountPay/creation/createOnce.js': (text) =>
			text.replace('const response = ', "throw new Error('a bug');\n    const response = "),
	});
	const broken = await engineFor(sandbox, {}, { folder });
	const { error } = await broken.runNode({ node: createNode(), items: orders(1) });
	expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(1)));
	expect(error).toMatchObject({
		message: expect.stringMatching(/^This item ended unexpectedly/),
		description: expect.stringMatching(/^Look in AcountPay/),
		context: { outcome: 'unknown', outcomesUnknown: [{ referenceNumber: referenceOf(0) }] },
	});
});
