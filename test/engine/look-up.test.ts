/**
 * With keys, a payment whose outcome is unknown is looked for in the list: handed out when it is found beyond doubt, and
 * never sent again on a doubt.
 */
import type { INode, INodeParameters } from 'n8n-workflow';
import { type Fault, KEY_MERCHANTS } from '../../sandbox';
import { savedWith } from '../kit/engine';
import { createPayments, engineWithKeys, SHOP } from '../kit/keys';
import { goOn, requestsFor, retryOnFail, until, upTo, useSandbox } from '../kit/payments';
import type { Engine, Execution } from './harness';

jest.setTimeout(180_000);

const sandbox = useSandbox();
let engine: Engine;
let reference: string;
let tests = 0;

beforeEach(async () => {
	engine = await engineWithKeys(sandbox);
	// Of its own for each test: what one left open would be a doubt for the next.
	reference = `LOOK-${++tests}`;
	// The list never has one payment only, so that its dates show how exact they are.
	await payElsewhere({ referenceNumber: 'OTHER' });
});

/** Another program of the same partner makes a payment. */
async function payElsewhere(changes: object): Promise<void> {
	const { clientId, clientSecret } = sandbox.keys;
	const response = await fetch(`${sandbox.url}/v1/partner/payments`, {
		method: 'POST',
		headers: {
			'Content-Type': 'application/json',
			'X-Partner-Client-Id': clientId,
			'X-Partner-Client-Secret': clientSecret,
		},
		body: JSON.stringify({
			merchantClientId: SHOP.clientId,
			amount: 10.5,
			referenceNumber: reference,
			...changes,
		}),
	});
	expect(response.status).toBe(201);
}

const items = (count = 1) => upTo(count).map(() => ({ amount: 10.5, reference }));

const trouble = (fault: Fault) => sandbox.faults.add({ match: { endpoint: 'create' }, ...fault });

const run = async (
	count = 1,
	options: INodeParameters = {},
	settings: Partial<INode> = {},
): Promise<Execution> =>
	await engine.runNode({ node: createPayments({ options }, settings), items: items(count) });

/** The payments that the node asked for, whether AcountPay made them or not. */
const asked = () =>
	requestsFor(sandbox, 'create').filter(
		({ body, headers }) =>
			(body as { referenceNumber: string }).referenceNumber === reference &&
			headers['user-agent'] !== 'node',
	).length;
const looks = () => requestsFor(sandbox, 'list').length;
const made = () => sandbox.payments.filter(({ referenceNumber }) => referenceNumber === reference);
const idsIn = (execution: Execution) => execution.json().map(({ paymentId }) => paymentId);

function expectUnknown({ error }: Execution, looked: RegExp) {
	expect(error?.message).toMatch(`Payment '${reference}' may or may not exist`);
	expect(error?.description).toMatch(looked);
	expect(error?.description).toMatch('Look for this reference in AcountPay');
	expect(error?.context).toMatchObject({ outcome: 'unknown' });
}

const NOT_SHOWN = /^AcountPay's list of payments was looked at 5 times: it does not show it\./;

describe('a payment that was made although the response', () => {
	it.each<[string, Fault, INodeParameters]>([
		['was a 500', { status: 500, made: true }, {}],
		['never came', { hang: true, made: true }, { timeout: 250 }],
		['was reset', { reset: 'after' }, {}],
		['was cut off', { cutOff: true }, {}],
		['was a redirect', { status: 302, redirectTo: '/v1/partner/payments', made: true }, {}],
		['was HTML', { status: 201, made: true, body: '<h1>Thank you</h1>' }, {}],
		['names nothing', { status: 201, made: true, body: { error: 'Internal error' } }, {}],
	])('%s is handed out as made', async (_what, fault, options) => {
		trouble(fault);
		const execution = await run(1, options);
		expect(execution.error).toBeUndefined();
		expect(execution.json()).toEqual([
			expect.objectContaining({
				paymentId: made()[0].id,
				referenceNumber: reference,
				status: 'pending',
				lookedUp: true,
			}),
		]);
		expect(asked()).toBe(1);
		expect(looks()).toBeLessThanOrEqual(4);
	});

	it('was a 500 is found when the list is late', async () => {
		trouble({ status: 500, made: true, listLag: { looks: 3 } });
		const execution = await run();
		expect(idsIn(execution)).toEqual([made()[0].id]);
		expect(looks()).toBeGreaterThan(3);
	});

	it('was a 500 is found by a clock that differs', async () => {
		sandbox.clock.advance(3_600_000);
		trouble({ status: 500, made: true });
		expect(idsIn(await run())).toEqual([made()[0].id]);
	});

	it('a payment of the usual kind is not marked', async () => {
		const [output] = (await run()).json();
		expect(output).not.toHaveProperty('lookedUp');
		expect(looks()).toBe(0);
	});

	it('was a 500 is named as made when it has no link to draw a QR code of', async () => {
		trouble({ status: 500, made: true });
		const { error } = await run(1, { qrCode: true });
		expect(error?.description).toMatch(
			/^Look for the payment's link in .* Dashboard\. Do not create the payment again\./,
		);
		expect(error?.context).toMatchObject({
			outcome: 'made',
			paymentsMade: [{ paymentId: String(made()[0].id) }],
		});
	});
});

describe('a payment that was not made', () => {
	it('stays unknown, and the error says what was looked at', async () => {
		trouble({ status: 500 });
		expectUnknown(await run(), NOT_SHOWN);
		expect(asked()).toBe(1);
		expect(looks()).toBe(5);
	});

	it("is not mistaken for an older one, another merchant's, or one that differs", async () => {
		const others: object[] = [
			{},
			{ merchantClientId: KEY_MERCHANTS.success.clientId },
			{ amount: 10.51 },
			{ currency: 'EUR' },
			{ referenceNumber: `${reference}-` },
		];
		const orders = others.map((_, index) => ({ amount: 10.5, reference: `${reference}-${index}` }));
		await payElsewhere({ referenceNumber: orders[0].reference });
		sandbox.clock.advance(2_000);
		// All but the first are made while the looks go on.
		trouble({ status: 500, times: orders.length });
		const execution = engine.runNode({ node: createPayments({}, goOn), items: orders });
		await until(() => looks() > 0);
		for (const [index, changes] of others.entries()) {
			if (index > 0) await payElsewhere({ referenceNumber: orders[index].reference, ...changes });
		}
		const outputs = (await execution).json();
		expect(outputs).toHaveLength(others.length);
		for (const { details } of outputs) {
			expect(details).toMatchObject({
				outcome: 'unknown',
				description: expect.stringMatching(NOT_SHOWN),
			});
		}
	});
});

it('an older one is not handed out in place of the one that was made', async () => {
	await payElsewhere({});
	sandbox.clock.advance(2_000);
	trouble({ status: 500, made: true });
	const execution = await run();
	expect(made()).toHaveLength(2);
	expect(idsIn(execution)).toEqual([made()[1].id]);
});

describe('a doubt stays one', () => {
	it('without a clock', async () => {
		sandbox.faults.add({ match: { endpoint: 'list' }, headers: { Date: '' }, times: 'always' });
		trouble({ status: 500, made: true });
		expectUnknown(await run(), /looked at 5 times: it shows payment \d+, which may be older\./);
	});

	it('when the list can not be read', async () => {
		sandbox.faults.add({ match: { endpoint: 'list' }, status: 403, times: 'always' });
		trouble({ status: 500, made: true });
		expectUnknown(
			await run(1, { resendUnknown: true }),
			/looked at 5 times: it could not be read\./,
		);
	});

	it('when another program has asked for the same since', async () => {
		trouble({ status: 500, made: true, latencyMs: 300 });
		const execution = run();
		await until(() => made().length > 0);
		await payElsewhere({});
		expectUnknown(await execution, /it shows 2 that could be it: \d+, \d+\./);
	});
});

describe('equal items', () => {
	const bothUnknown = goOn;

	it('each get one when both were made and neither was named', async () => {
		trouble({ status: 500, made: true, times: 2 });
		const execution = await run(2);
		expect(execution.error).toBeUndefined();
		expect(new Set(idsIn(execution))).toEqual(new Set(made().map(({ id }) => id)));
		expect(made()).toHaveLength(2);
	});

	it('one at a time, too', async () => {
		trouble({ status: 500, made: true, times: 2 });
		const execution = await run(2, { maxConcurrency: 1 });
		expect(new Set(idsIn(execution)).size).toBe(2);
	});

	it('are not given the payment of one that was named', async () => {
		trouble({ status: 500 });
		const execution = await run(2, {}, goOn);
		expect(made()).toHaveLength(1);
		expect(execution.json().filter(({ paymentId }) => paymentId !== undefined)).toHaveLength(1);
		expect(execution.json()[0]).toMatchObject({ details: { outcome: 'unknown' } });
	});

	it('are not given the payment of one that is in flight', async () => {
		trouble({ status: 500 });
		trouble({ latencyMs: 3_000 });
		const execution = await run(2, {}, goOn);
		expect(made()).toHaveLength(1);
		const ids = idsIn(execution).filter((id) => id !== undefined);
		expect(ids).toEqual([made()[0].id]);
	});

	it('both stay unknown when one of them was made', async () => {
		trouble({ status: 500, made: true });
		trouble({ status: 500 });
		const execution = await run(2, {}, bothUnknown);
		expect(execution.json()).toEqual([
			expect.objectContaining({ details: expect.objectContaining({ outcome: 'unknown' }) }),
			expect.objectContaining({ details: expect.objectContaining({ outcome: 'unknown' }) }),
		]);
	});
});

describe('a payment that the list shows only after the looks', () => {
	beforeEach(() => trouble({ status: 500, made: true, listLag: { looks: 5 } }));

	it("is found by 'Retry On Fail', and not sent again", async () => {
		const execution = await run(1, { resendUnknown: true }, retryOnFail(3));
		expect(idsIn(execution)).toEqual([made()[0].id]);
		expect(execution.json()[0]).toMatchObject({ lookedUp: true });
		expect(asked()).toBe(1);
	});

	it('is found by a retry by hand, and not sent again', async () => {
		const failed = await run();
		expectUnknown(failed, NOT_SHOWN);
		const node = createPayments({ options: { resendUnknown: true } });
		const retried = await engine.retry(failed, savedWith(node));
		expect(idsIn(retried)).toEqual([made()[0].id]);
		expect(asked()).toBe(1);
	});
});

describe('a payment that no look shows', () => {
	it('is sent again by hand only with resendUnknown', async () => {
		trouble({ status: 500 });
		const failed = await run();
		const retried = await engine.retry(failed);
		expectUnknown(retried, NOT_SHOWN);
		expect(asked()).toBe(1);
		const node = createPayments({ options: { resendUnknown: true } });
		const resent = await engine.retry(retried, savedWith(node));
		expect(idsIn(resent)).toEqual([made()[0].id]);
		expect(asked()).toBe(2);
	});

	it('is not sent again when the list can not be read', async () => {
		trouble({ status: 500 });
		const failed = await run();
		sandbox.faults.add({ match: { endpoint: 'list' }, status: 403, times: 'always' });
		const node = createPayments({ options: { resendUnknown: true } });
		expectUnknown(await engine.retry(failed, savedWith(node)), /it could not be read/);
		expect(asked()).toBe(1);
	});
});

it('many open items of a merchant share their looks', async () => {
	trouble({ status: 500, made: true, times: 30 });
	const orders = upTo(30).map((item) => ({ amount: 10.5, reference: `${reference}-${item}` }));
	const execution = await engine.runNode({ node: createPayments(), items: orders });
	expect(execution.error).toBeUndefined();
	expect(execution.json().map(({ referenceNumber }) => referenceNumber)).toEqual(
		orders.map((order) => order.reference),
	);
	expect(looks()).toBeLessThanOrEqual(15);
});

describe('a long list', () => {
	const makeMany = async (count: number) => {
		for (const index of upTo(count)) await payElsewhere({ referenceNumber: `OLD-${index}` });
		sandbox.clock.advance(5 * 60_000);
	};

	it('that has the newest first is read no further than needed', async () => {
		await makeMany(30);
		sandbox.settings.listMax = 5;
		trouble({ status: 500 });
		expectUnknown(await run(), NOT_SHOWN);
		expect(looks()).toBe(5);
	});

	it('that has the oldest first is read to its end', async () => {
		await makeMany(30);
		sandbox.settings.listMax = 5;
		sandbox.settings.listOrder = 'oldest';
		trouble({ status: 500, made: true });
		expect(idsIn(await run())).toEqual([made()[0].id]);
	});

	it('that has the oldest first and too many pages is a doubt', async () => {
		await makeMany(45);
		sandbox.settings.listMax = 2;
		sandbox.settings.listOrder = 'oldest';
		trouble({ status: 500, made: true });
		const node = createPayments({ options: { resendUnknown: true } }, retryOnFail(2));
		const execution = await engine.runNode({ node, items: items() });
		expectUnknown(execution, /looked at 5 times: it is too long to look through\./);
		expect(asked()).toBe(1);
	});
});

it('the looks stop when the execution is stopped, and the log says what is open', async () => {
	trouble({ status: 500 });
	const running = engine.startNode({ node: createPayments(), items: items() });
	await until(() => looks() > 0);
	running.cancel();
	expect((await running.finished).status).toBe('canceled');
	expect(looks()).toBeLessThanOrEqual(2);
	expect(engine.log.messages('warn').join()).toContain(`May or may not exist (1): ${reference}`);
});
