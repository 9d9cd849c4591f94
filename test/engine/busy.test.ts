/**
 * An API that is busy (429) is waited for; reading is asked again when there is no usable answer.
 */
import type { Fault, RecordedRequest } from '../../sandbox';
import { createNode, engineFor, useEngine, getNode, handedOut } from '../kit/engine';
import {
	createOf,
	continueOnError,
	oneOfEach,
	orders,
	pausesBetween,
	countsByReference,
	referenceOf,
	requestsFor,
	upTo,
} from '../kit/payments';
import { shorten, variantOfPackage } from './harness';

const { sandbox, engine } = useEngine();

const creates = () => requestsFor(sandbox, 'create');

/** The requests that read the payment with that id. */
const readsOf = (id: unknown): RecordedRequest[] =>
	requestsFor(sandbox, 'get').filter(({ path }) => path.endsWith(`/${String(id)}`));

/** Makes payments, and gives the items with which they are read. */
async function made(count: number) {
	const execution = await engine.runNode({ node: createNode(), items: orders(count) });
	expect(sandbox.payments).toHaveLength(count);
	return orders(count).map(({ merchant }, index) => ({ merchant, id: execution.json()[index].id }));
}

describe('429 to a create', () => {
	it('with seconds in Retry-After: waited out, one payment', async () => {
		sandbox.faults.add({ match: createOf(1), status: 429, headers: { 'Retry-After': '2' } });
		const execution = await engine.runNode({ node: createNode(), items: orders(3) });

		expect(handedOut(execution)).toEqual(upTo(3).map(referenceOf));
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(3)));
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 429': 1, 'create 201': 3 });
		const again = creates().filter(({ rawBody }) => rawBody.includes(referenceOf(1)));
		expect(pausesBetween(again)[0]).toBeGreaterThanOrEqual(2_000);
	});

	it('with a date in Retry-After: waited out, one payment', async () => {
		const date = new Date(Date.now() + 2_500).toUTCString();
		sandbox.faults.add({ match: createOf(0), status: 429, headers: { 'Retry-After': date } });
		const execution = await engine.runNode({ node: createNode(), items: orders(1) });

		expect(handedOut(execution)).toEqual([referenceOf(0)]);
		expect(creates()).toHaveLength(2);
		expect(creates()[1].startedAt).toBeGreaterThanOrEqual(Date.parse(date));
		expect(sandbox.payments).toHaveLength(1);
	});

	it('without Retry-After: growing pauses, one payment', async () => {
		sandbox.faults.add({ match: createOf(0), status: 429, times: 3 });
		const execution = await engine.runNode({ node: createNode(), items: orders(1) });

		expect(handedOut(execution)).toEqual([referenceOf(0)]);
		expect(sandbox.payments).toHaveLength(1);
		const pauses = pausesBetween(creates());
		expect(pauses).toHaveLength(3);
		pauses.forEach((pause, index) => expect(pause).toBeGreaterThanOrEqual(245 * 2 ** index));
	});

	it('nine times: asked a tenth time', async () => {
		const headers = { 'Retry-After': '0' };
		sandbox.faults.add({ match: createOf(0), status: 429, times: 9, headers });
		const execution = await engine.runNode({ node: createNode(), items: orders(1) });

		expect(handedOut(execution)).toEqual([referenceOf(0)]);
		expect(sandbox.counts).toMatchObject({ 'create 429': 9, 'create 201': 1 });
		for (const pause of pausesBetween(creates())) expect(pause).toBeGreaterThanOrEqual(195);
	}, 15_000);

	it('to every item once: one payment each', async () => {
		const headers = { 'Retry-After': '0' };
		sandbox.faults.add({ match: { endpoint: 'create' }, status: 429, times: 20, headers });
		const execution = await engine.runNode({ node: createNode(), items: orders(20) });

		expect(handedOut(execution)).toEqual(upTo(20).map(referenceOf));
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(20)));
		expect(sandbox.counts).toMatchObject({ 'create 429': 20, 'create 201': 20 });
	});
});

describe('429 for good', () => {
	/**
	 * Runs a package whose delays are as many times shorter; `test/unit/shared/http/retryPolicies.test.ts` has them whole.
	 * @returns the error, and how many seconds there would be from the first of these requests to the last without that
	 */
	async function runImpatiently(times: number, endpoint: 'create' | 'token') {
		sandbox.faults.add({ match: { endpoint }, times: 'always', status: 429 });
		const folder = variantOfPackage({
			'dist/nodes/shared/http/retryPolicies.js': shorten(
				times,
				'RATE_LIMIT_ELAPSED',
				'TOKEN_ELAPSED',
				'firstDelay',
				'maxDelay',
			),
			'dist/nodes/shared/transport/adaptiveLimiter/rateLimit.js': shorten(
				times,
				'FIRST_PAUSE',
				'LONGEST_PAUSE',
			),
		});
		const impatient = await engineFor(sandbox, {}, { folder });
		const { error } = await impatient.runNode({ node: createNode(), items: orders(1) });
		const asked = requestsFor(sandbox, endpoint);
		const seconds = (times * (asked.at(-1)!.startedAt - asked[0].startedAt)) / 1_000;
		return { error, seconds };
	}

	it('to a create: asked at least 10 times and for 2 minutes, then a clear error', async () => {
		const { error, seconds } = await runImpatiently(60, 'create');

		expect(error).toMatchObject({
			message: expect.stringContaining('is rate limiting requests and did not accept the payment'),
			context: { outcome: 'refused', outcomesUnknown: [] },
		});
		expect(creates().length).toBeGreaterThanOrEqual(10);
		expect(seconds).toBeGreaterThanOrEqual(119);
		expect(sandbox.payments).toEqual([]);
	});

	it('to a token: asked for about a minute, then a clear error', async () => {
		const { error, seconds } = await runImpatiently(10, 'token');

		expect(error).toMatchObject({
			message: expect.stringContaining(
				"gave no access token for the credential 'AcountPay account': it is rate limiting requests",
			),
			context: { outcome: 'unavailable', paymentsMade: [] },
		});
		expect(seconds).toBeGreaterThan(40);
		expect(seconds).toBeLessThan(75);
		expect(sandbox.counts).toEqual({ 'token 429': requestsFor(sandbox, 'token').length });
	});
});

describe('429 to a get', () => {
	it('is waited out: seconds, or a date', async () => {
		const items = await made(2);
		const date = new Date(Date.now() + 2_500).toUTCString();
		['2', date].forEach((retryAfter, index) =>
			sandbox.faults.add({
				match: { endpoint: 'get', reference: referenceOf(index) },
				status: 429,
				headers: { 'Retry-After': retryAfter },
			}),
		);
		const execution = await engine.runNode({ node: getNode(), items });

		expect(handedOut(execution)).toEqual(upTo(2).map(referenceOf));
		expect(sandbox.counts).toMatchObject({ 'get 429': 2, 'get 200': 2 });
		expect(pausesBetween(readsOf(items[0].id))[0]).toBeGreaterThanOrEqual(2_000);
		expect(readsOf(items[1].id)[1].startedAt).toBeGreaterThanOrEqual(Date.parse(date));
	});

	// Alone: a request that is accepted in between lets the pauses begin anew.
	it('is waited out with growing pauses where it names no time', async () => {
		const [item] = await made(1);
		sandbox.faults.add({ match: { endpoint: 'get' }, status: 429, times: 3 });
		const execution = await engine.runNode({ node: getNode(), items: [item] });

		expect(handedOut(execution)).toEqual([referenceOf(0)]);
		expect(sandbox.counts).toMatchObject({ 'get 429': 3, 'get 200': 1 });
		const pauses = pausesBetween(readsOf(item.id));
		expect(pauses).toHaveLength(3);
		pauses.forEach((pause, index) => expect(pause).toBeGreaterThanOrEqual(490 * 2 ** index));
	});
});

describe('a get without a usable answer', () => {
	const troubles: Array<[string, Fault]> = [
		['no answer in time', { hang: true }],
		['a reset before it was handled', { reset: 'before' }],
		['a reset after it was handled', { reset: 'after' }],
		['500', { status: 500 }],
		['502 with HTML', { status: 502, body: '<h1>Bad gateway</h1>' }],
		['503', { status: 503 }],
		['504', { status: 504 }],
		['an answer that is cut off', { cutOff: true }],
		['HTML', { status: 200, body: '<h1>Welcome</h1>' }],
		['an empty answer', { status: 200, body: '' }],
	];

	it(`is asked again: ${troubles.map(([what]) => what).join(', ')}`, async () => {
		const items = await made(troubles.length);
		troubles.forEach(([, fault], index) =>
			sandbox.faults.add({ match: { endpoint: 'get', reference: referenceOf(index) }, ...fault }),
		);
		const execution = await engine.runNode({ node: getNode({ timeout: 2_000 }), items });

		expect(handedOut(execution)).toEqual(troubles.map((_, index) => referenceOf(index)));
		for (const { id } of items) expect(readsOf(id)).toHaveLength(2);
	});

	it.each<[string, Fault['times'], object]>([
		['the fifth time', 4, { referenceNumber: referenceOf(0) }],
		['never', 'always', { details: { outcome: 'unavailable', status: 503 } }],
	])(
		'that comes %s is asked for five times at most, with growing pauses',
		async (_when, times, result) => {
			const [item] = await made(1);
			sandbox.faults.add({ match: { endpoint: 'get' }, times, status: 503 });
			const execution = await engine.runNode({ node: getNode({}, continueOnError), items: [item] });

			expect(execution.json()).toMatchObject([result]);
			const pauses = pausesBetween(readsOf(item.id));
			expect(pauses).toHaveLength(4);
			pauses.forEach((pause, index) => expect(pause).toBeGreaterThanOrEqual(245 * 2 ** index));
		},
		20_000,
	);

	it('says that nothing was sent for an item only where nothing was', async () => {
		const items = await made(30);
		sandbox.faults.add({ match: { endpoint: 'get' }, times: 'always', status: 503 });
		const execution = await engine.runNode({ node: getNode({}, continueOnError), items });

		const saidAsNotSent = execution
			.json()
			.map(({ error }) => String(error).startsWith('Nothing was sent for this item'));
		expect(saidAsNotSent).toEqual(items.map(({ id }) => readsOf(id).length === 0));
		expect(new Set(saidAsNotSent)).toEqual(new Set([true, false]));
	}, 60_000);

	it.each([400, 403, 404])('that is refused with %i is asked once', async (status) => {
		const items = await made(1);
		sandbox.faults.add({ match: { endpoint: 'get' }, times: 'always', status });
		const { error } = await engine.runNode({ node: getNode(), items });

		expect(error).toMatchObject({ httpCode: String(status), context: { outcome: 'refused' } });
		expect(requestsFor(sandbox, 'get')).toHaveLength(1);
	});
});
