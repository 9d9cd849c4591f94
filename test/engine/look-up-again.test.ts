/** With keys, payments whose outcome is unknown are told apart, found by a retry, and looked for in long lists. */
import { savedWith } from '../kit/engine';
import { createPayments } from '../kit/keys';
import { NOT_SHOWN, useLookUp } from '../kit/lookUp';
import { continueOnError, retryOnFail, until, upTo } from '../kit/payments';

jest.setTimeout(180_000);

const { at, sandbox, payElsewhere, items, trouble, run, asked, looks, made, idsIn, expectUnknown } =
	useLookUp(10);

describe('equal items', () => {
	const bothUnknown = continueOnError;
	const unknown = expect.objectContaining({
		details: expect.objectContaining({ outcome: 'unknown' }),
	}) as object;

	it('stay unknown when both were created and neither was named: which is whose is not known', async () => {
		trouble({ status: 500, made: true, times: 2 });
		const execution = await run(2, {}, bothUnknown);
		expect(execution.json()).toEqual([unknown, unknown]);
		expect(made()).toHaveLength(2);
	});

	it('are not given the payment of one that was named', async () => {
		trouble({ status: 500 });
		const execution = await run(2, {}, continueOnError);
		expect(made()).toHaveLength(1);
		expect(execution.json().filter(({ paymentId }) => paymentId !== undefined)).toHaveLength(1);
		expect(execution.json()[0]).toMatchObject({ details: { outcome: 'unknown' } });
	});

	it('are not given the payment of one that is in flight', async () => {
		trouble({ status: 500 });
		trouble({ latencyMs: 3_000 });
		const execution = await run(2, {}, continueOnError);
		expect(made()).toHaveLength(1);
		const ids = idsIn(execution).filter((id) => id !== undefined);
		expect(ids).toEqual([made()[0].id]);
	});

	it('both stay unknown when one of them was made', async () => {
		trouble({ status: 500, made: true });
		trouble({ status: 500 });
		const execution = await run(2, {}, bothUnknown);
		expect(execution.json()).toEqual([unknown, unknown]);
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
		const retried = await at.engine.retry(failed, savedWith(node));
		expect(idsIn(retried)).toEqual([made()[0].id]);
		expect(asked()).toBe(1);
	});
});

describe('a payment that no look shows', () => {
	it('is sent again by hand only with resendUnknown', async () => {
		trouble({ status: 500 });
		// What is sent again waits for that long, too.
		const timeout = 1_000;
		const failed = await run(1, { timeout });
		const retried = await at.engine.retry(failed);
		expectUnknown(retried, NOT_SHOWN);
		expect(asked()).toBe(1);
		const node = createPayments({ options: { resendUnknown: true, timeout } });
		const resent = await at.engine.retry(retried, savedWith(node));
		expect(idsIn(resent)).toEqual([made()[0].id]);
		expect(asked()).toBe(2);
	});

	it('is not sent again when the list can not be read', async () => {
		trouble({ status: 500 });
		const failed = await run();
		sandbox.faults.add({ match: { endpoint: 'list' }, status: 403, times: 'always' });
		const node = createPayments({ options: { resendUnknown: true } });
		expectUnknown(await at.engine.retry(failed, savedWith(node)), /it could not be read/);
		expect(asked()).toBe(1);
	});
});

it('many open items of a merchant share their looks', async () => {
	trouble({ status: 500, made: true, times: 30 });
	const orders = upTo(30).map((item) => ({ amount: 10.5, reference: `${at.reference}-${item}` }));
	const execution = await at.engine.runNode({ node: createPayments(), items: orders });
	expect(execution.error).toBeUndefined();
	expect(execution.json().map(({ referenceNumber }) => referenceNumber)).toEqual(
		orders.map((order) => order.reference),
	);
	expect(looks()).toBeLessThanOrEqual(15);
});

it('a retry that only found a payment keeps no other retry from creating the rest', async () => {
	trouble({ status: 500, made: true, listLag: { looks: 5 } });
	const orders = [
		{ amount: 10.5, reference: at.reference },
		{ amount: 11, reference: `${at.reference}-second` },
		{ amount: 12, reference: `${at.reference}-third` },
	];
	const node = createPayments({ options: { maxConcurrency: 1 } });
	const failed = await at.engine.runNode({ node, items: orders });
	sandbox.faults.add({ match: { endpoint: 'create' }, status: 422 });
	expect((await at.engine.retry(failed)).error?.message).toContain('refused');
	expect((await at.engine.retry(failed)).error).toBeUndefined();
	const created = sandbox.payments.map(({ referenceNumber }) => referenceNumber);
	expect(created.filter((one) => one !== 'OTHER').sort()).toEqual(
		orders.map(({ reference }) => reference),
	);
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
		expect(looks()).toBeLessThanOrEqual(10);
	});

	it('that has the oldest first is read to its end', async () => {
		await makeMany(30);
		sandbox.settings.listMax = 5;
		sandbox.settings.listOrder = 'oldest';
		trouble({ status: 500, made: true });
		expect(idsIn(await run())).toEqual([made()[0].id]);
	});
});

it('the looks stop when the execution is stopped, and the log says what is open', async () => {
	trouble({ status: 500 });
	const running = at.engine.startNode({ node: createPayments(), items: items() });
	await until(() => looks() > 0);
	running.cancel();
	expect((await running.finished).status).toBe('canceled');
	expect(looks()).toBeLessThanOrEqual(2);
	expect(at.engine.log.messages('warn').join()).toContain(
		`May or may not exist (1): ${at.reference}`,
	);
});
