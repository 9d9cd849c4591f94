/**
 * Wait for Completion: by asking, and parked until AcountPay's webhook comes or the time is up.
 */
import { type IDataObject, type INodeParameters, sleep } from 'n8n-workflow';
import { webhookHeaders, type Fault, type PaymentEvent } from '../../sandbox';
import { ACCEPTED, eventBody, IGNORED, post, postSigned } from '../kit/deliveries';
import { getNode, useEngine, waitNode } from '../kit/engine';
import {
	create,
	credentialFor,
	continueOnError,
	createPayment,
	pausesBetween,
	requestsFor,
	retryOnFail,
	until,
} from '../kit/payments';
import { variantOfPackage, type Execution } from './harness';

jest.setTimeout(60_000);

const { sandbox, engine, useOther } = useEngine();

const asked = () => requestsFor(sandbox, 'get');
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What Get answers for a payment, whole. */
const told = async (payment: IDataObject) =>
	(await engine.runNode({ node: getNode(), items: [payment] })).json()[0];

/** The polling pauses of this engine are as many times shorter. */
const SHORTER = 100;
const QUICK = {
	'dist/nodes/AcountPay/actions/payment/waitForCompletion.operation.js': (text: string) =>
		text
			.replace('FIRST_POLLING_DELAY = 2_000;', `FIRST_POLLING_DELAY = ${2_000 / SHORTER};`)
			.replace('MAX_POLLING_DELAY = 15_000;', `MAX_POLLING_DELAY = ${15_000 / SHORTER};`),
	'dist/nodes/shared/http/retryPolicies.js': (text: string) =>
		text.replace('FIRST_READ_DELAY = 500;', `FIRST_READ_DELAY = ${500 / SHORTER};`),
	'dist/nodes/shared/transport/adaptiveLimiter.js': (text: string) =>
		text
			.replace('FIRST_PROBE_PAUSE = 250;', `FIRST_PROBE_PAUSE = ${250 / SHORTER};`)
			.replace('LONGEST_PROBE_PAUSE = 30_000;', `LONGEST_PROBE_PAUSE = ${30_000 / SHORTER};`),
};
const quickPackage = () => variantOfPackage(QUICK);
const useQuickPolling = async () => {
	await useOther({}, { folder: quickPackage() });
};
/** A package that asks quickly, and takes a payment that AcountPay refuses to report for lost after half a second. */
const useShortPatience = async () => {
	const awaited = 'dist/nodes/AcountPay/actions/payment/awaitedPayment.js';
	const folder = variantOfPackage({
		...QUICK,
		[awaited]: (text) => text.replace('REFUSAL_PATIENCE = 60_000;', 'REFUSAL_PATIENCE = 500;'),
	});
	await useOther({}, { folder });
};
/** Minutes that last as many ms. */
const minutes = (ms: number) => ms / 60_000;

const polling = (parameters: INodeParameters = {}) =>
	waitNode({ resumeOn: 'polling', ...parameters });

describe('waiting by asking', () => {
	it('asks after 2, 3 and 4.5 seconds, and ends when the customer has paid', async () => {
		const payment = await createPayment(sandbox);
		const running = engine.startNode({ node: polling(), items: [{ ...payment, table: 4 }] });
		await until(() => asked().length === 3);
		sandbox.pay(payment.id);
		sandbox.clock.advance(1_000);
		const execution = await running.finished;

		const pauses = pausesBetween(asked());
		expect(pauses).toHaveLength(3);
		[2_000, 3_000, 4_500].forEach((pause, index) => {
			expect(pauses[index]).toBeGreaterThanOrEqual(pause - 5);
			expect(pauses[index]).toBeLessThan(pause + 700);
		});
		const [output] = execution.json();
		expect(output).toEqual({
			...(await told(payment)),
			paymentId: payment.id,
			status: 'completed',
			isPaid: true,
			waitEndedBy: 'status',
			statusAt: expect.stringMatching(ISO),
		});
		expect(Math.abs(Date.parse(output.statusAt as string) - asked()[3].endedAt!)).toBeLessThan(
			1_000,
		);
		expect(execution.items()[0].pairedItem).toEqual({ item: 0 });
	});

	it('lets its pauses grow by half, up to 15 seconds', async () => {
		await useQuickPolling();
		const payment = await createPayment(sandbox);
		const running = engine.startNode({ node: polling(), items: [payment] });
		await until(() => asked().length === 9);
		sandbox.decline(payment.id);
		expect((await running.finished).json()).toMatchObject([{ status: 'failed' }]);

		const pauses = pausesBetween(asked());
		[20, 30, 45, 67, 101, 150, 150, 150].forEach((pause, index) => {
			expect(pauses[index]).toBeGreaterThanOrEqual(pause - 2);
		});
		// What the machine needs for other things comes on top, but not on all of the last three.
		expect(Math.min(...pauses.slice(5, 8))).toBeLessThan(225);
	});

	it.each<[string, (id: string) => void, string]>([
		['paid', (id) => sandbox.pay(id), 'completed'],
		['declined', (id) => sandbox.decline(id), 'failed'],
		['expired', () => sandbox.clock.advance(29 * 60_000), 'expired'],
	])('goes straight on with a payment that is %s already', async (_what, end, status) => {
		const payment = await createPayment(sandbox);
		end(payment.id);
		sandbox.clock.advance(60_000);
		const startedAt = Date.now();
		const execution = await engine.runNode({ node: polling(), items: [payment] });
		expect(execution.json()).toMatchObject([
			{ paymentId: payment.id, status, waitEndedBy: 'status' },
		]);
		expect(asked()).toHaveLength(1);
		expect(Date.now() - startedAt).toBeLessThan(1_800);
	});

	it("takes 'paid' for completed", async () => {
		const payment = await createPayment(sandbox);
		const body = { id: payment.id, status: 'paid', more: [1] };
		sandbox.faults.add({ match: { endpoint: 'get' }, body });
		const execution = await engine.runNode({ node: polling(), items: [payment] });
		expect(execution.json()).toEqual([
			{
				...body,
				paymentId: payment.id,
				status: 'completed',
				isPaid: true,
				waitEndedBy: 'status',
				statusAt: expect.stringMatching(ISO),
			},
		]);
	});

	it.each([
		'pending',
		'processing',
		'settled',
		'refunded',
		'Completed',
		'PAID',
		'completed ',
		'payment.completed',
		'',
		'constructor',
		'__proto__',
		null,
		true,
		1,
		['completed'],
		{ completed: true },
		undefined,
	])('a status %j is not final, and stays as AcountPay told it', async (status) => {
		await useQuickPolling();
		const payment = await createPayment(sandbox);
		sandbox.faults.add({ match: { endpoint: 'get' }, body: { a: 1, status }, times: 'always' });
		const execution = await engine.runNode({
			node: polling({ timeoutMinutes: minutes(300) }),
			items: [payment],
		});
		expect(execution.json()).toEqual([
			{
				a: 1,
				...(status !== undefined && { status }),
				paymentId: payment.id,
				...(typeof status === 'string' && status !== '' && { isPaid: false }),
				waitEndedBy: 'timeout',
				statusAt: expect.stringMatching(ISO),
			},
		]);
	});

	it('ends at its timeout with the payment as it is then, and takes a last look', async () => {
		const late = await createPayment(sandbox, { referenceNumber: 'LATE' });
		const never = await createPayment(sandbox, { referenceNumber: 'NEVER' });
		const startedAt = Date.now();
		const running = engine.startNode({
			node: polling({ timeoutMinutes: minutes(3_500) }),
			items: [late, never],
		});
		await until(() => asked().length === 4);
		await sleep(200);
		sandbox.decline(late.id);
		const execution = await running.finished;

		expect(Date.now() - startedAt).toBeGreaterThanOrEqual(3_490);
		expect(Date.now() - startedAt).toBeLessThan(4_900);
		expect(execution.json()).toEqual([
			expect.objectContaining({ paymentId: late.id, status: 'failed', waitEndedBy: 'status' }),
			{
				...(await told(never)),
				paymentId: never.id,
				status: 'pending',
				isPaid: false,
				waitEndedBy: 'timeout',
				statusAt: expect.stringMatching(ISO),
			},
		]);
	});

	it('waits for many payments side by side, and asks for no more at once than it may', async () => {
		const count = 30;
		const payments = [];
		for (let index = 0; index < count; index++) {
			const referenceNumber = `ORDER-${index}`;
			payments.push({ ...(await createPayment(sandbox, { referenceNumber })), index });
		}
		expect(sandbox.maxInFlight).toBe(1);
		sandbox.settings.latencyMs = 20;
		const running = engine.startNode({
			node: polling({ options: { maxConcurrency: 3 } }),
			items: payments,
		});
		await until(() => asked().length >= count);
		const firstRound = asked().slice(0, count);
		expect(new Set(firstRound.map(({ path }) => path)).size).toBe(count);
		[...payments].reverse().forEach(({ id, index }) => {
			if (index % 2) sandbox.decline(id);
			else sandbox.pay(id);
		});
		sandbox.clock.advance(1_000);
		const execution = await running.finished;

		expect(sandbox.maxInFlight).toBe(3);
		expect(execution.json()).toMatchObject(
			payments.map(({ id, index }) => ({
				paymentId: id,
				referenceNumber: `ORDER-${index}`,
				status: index % 2 ? 'failed' : 'completed',
				waitEndedBy: 'status',
			})),
		);
		expect(execution.items().map(({ pairedItem }) => pairedItem)).toEqual(
			payments.map((_, item) => ({ item })),
		);
		expect(asked().length).toBeLessThanOrEqual(3 * count);
	});

	it.each<[string, number, () => void]>([
		['between two questions', 20, () => {}],
		[
			'in the middle of a question',
			4,
			() => sandbox.faults.add({ match: { endpoint: 'get' }, hang: true, times: 'always' }),
		],
	])('stops at once when the person stops the execution %s', async (_when, count, prepare) => {
		const payments = await Promise.all(
			Array.from({ length: 20 }, async () => await createPayment(sandbox)),
		);
		prepare();
		const running = engine.startNode({
			node: polling({ options: { maxConcurrency: 4 } }),
			items: payments,
		});
		await until(() => asked().length === count);
		await sleep(300);
		const stoppedAt = Date.now();
		running.cancel();
		const stopped = await running.finished;
		expect(stopped.status).toBe('canceled');
		expect(Date.now() - stoppedAt).toBeLessThan(1_000);
		await sleep(2_500);
		expect(asked()).toHaveLength(count);
	});

	it("stops at the workflow's time limit", async () => {
		const payment = await createPayment(sandbox);
		const startedAt = Date.now();
		const stopped = await engine.runNode({ node: polling(), items: [payment], timeLimit: 700 });
		expect(stopped.status).toBe('canceled');
		expect(Date.now() - startedAt).toBeLessThan(1_900);
	});

	it('goes on waiting while AcountPay is out of order', async () => {
		await useQuickPolling();
		const payment = await createPayment(sandbox);
		const outOfOrder = { match: { endpoint: 'get' as const }, times: 5 };
		sandbox.faults.add({ ...outOfOrder, status: 503 });
		sandbox.faults.add({ ...outOfOrder, reset: 'before' });
		sandbox.faults.add({ ...outOfOrder, body: '<h1>Down</h1>' });
		const running = engine.startNode({ node: polling(), items: [payment] });
		await until(() => asked().length >= 16);
		sandbox.pay(payment.id);
		sandbox.clock.advance(1_000);
		expect((await running.finished).json()).toMatchObject([
			{ status: 'completed', waitEndedBy: 'status' },
		]);
		expect(sandbox.faults.list()).toEqual([]);
	});

	it('is an error only when AcountPay was out of order all the time', async () => {
		await useQuickPolling();
		const payment = await createPayment(sandbox);
		sandbox.faults.add({ match: { endpoint: 'get' }, status: 503, times: 'always' });
		const node = polling({ timeoutMinutes: minutes(300) });
		const failed = await engine.runNode({ node, items: [payment] });
		expect(failed.error).toMatchObject({
			message: expect.stringContaining('returned a server error (status 503)'),
			context: { outcome: 'unavailable' },
		});

		sandbox.faults.clear();
		sandbox.faults.add({ match: { endpoint: 'get', nth: 2 }, status: 503, times: 'always' });
		const execution = await engine.runNode({ node, items: [payment] });
		expect(execution.json()).toMatchObject([{ status: 'pending', waitEndedBy: 'timeout' }]);
	});

	/** A package that asks quickly, and gives up on a busy API, or one without tokens, at once. */
	const impatientPackage = () =>
		variantOfPackage({
			...QUICK,
			'dist/nodes/shared/http/retryPolicies.js': (text) =>
				QUICK['dist/nodes/shared/http/retryPolicies.js'](text)
					.replace('RATE_LIMIT_ATTEMPTS = 10;', 'RATE_LIMIT_ATTEMPTS = 1;')
					.replace('RATE_LIMIT_ELAPSED = 2 * 60_000;', 'RATE_LIMIT_ELAPSED = 0;')
					.replace('TOKEN_ELAPSED = 60_000;', 'TOKEN_ELAPSED = 0;'),
			'dist/nodes/shared/auth/oAuth2/tokenSource.js': (text) =>
				text.replace('TOKEN_FAILURE_LASTS = 60_000;', 'TOKEN_FAILURE_LASTS = 200;'),
		});

	it('goes on waiting while AcountPay is too busy, for longer than other operations do', async () => {
		await useOther({}, { folder: impatientPackage() });
		const payment = await createPayment(sandbox);
		sandbox.faults.add({ match: { endpoint: 'get' }, status: 429, times: 4 });
		const running = engine.startNode({ node: polling(), items: [payment] });
		await until(() => asked().length >= 5);
		sandbox.decline(payment.id);
		expect((await running.finished).json()).toMatchObject([
			{ status: 'failed', waitEndedBy: 'status' },
		]);
	});

	it('ends at its timeout, however long a busy AcountPay asks to be left alone', async () => {
		await useQuickPolling();
		const payment = await createPayment(sandbox);
		const busy = { status: 429, headers: { 'Retry-After': '300' } };
		sandbox.faults.add({ match: { endpoint: 'get', nth: 2 }, ...busy, times: 'always' });
		const startedAt = Date.now();
		const node = polling({ timeoutMinutes: minutes(700) });
		const execution = await engine.runNode({ node, items: [payment] });
		expect(execution.json()).toMatchObject([{ status: 'pending', waitEndedBy: 'timeout' }]);
		expect(Date.now() - startedAt).toBeLessThan(2_500);
	});

	describe('ends soon after its timeout, whatever Request Timeout is,', () => {
		const REQUEST_TIMEOUT = 600_000;
		beforeEach(async () => {
			const wait = 'dist/nodes/AcountPay/actions/payment/waitForCompletion.operation.js';
			const folder = variantOfPackage({
				...QUICK,
				[wait]: (text) => QUICK[wait](text).replace('LAST_LOOK = 10_000;', 'LAST_LOOK = 700;'),
			});
			await useOther({}, { folder });
		});

		it.each<[string, Fault]>([
			['with a response that never comes', { match: { endpoint: 'get', nth: 6 }, hang: true }],
			['with a token that never comes', { match: { endpoint: 'token' }, hang: true }],
			[
				'with a queue behind refused requests',
				{ match: { endpoint: 'get', nth: 6 }, status: 429, headers: { 'Retry-After': '1' } },
			],
		])('%s', async (_what, fault) => {
			const payments = await Promise.all(
				Array.from({ length: 5 }, async () => await createPayment(sandbox)),
			);
			const options = { timeout: REQUEST_TIMEOUT, maxConcurrency: 2 };
			const node = polling({ timeoutMinutes: minutes(1_000), options });
			const startedAt = Date.now();
			const running = engine.startNode({ node, items: payments });
			await until(() => asked().length >= 5);
			sandbox.faults.add({ ...fault, times: 'always' });
			if (fault.match?.endpoint === 'token') sandbox.revokeTokens();
			const execution = await running.finished;
			expect(Date.now() - startedAt).toBeLessThan(3_000);
			expect(execution.json()).toMatchObject(
				payments.map(({ id }) => ({ paymentId: id, status: 'pending', waitEndedBy: 'timeout' })),
			);
			const count = asked().length;
			await sleep(1_500);
			expect(asked()).toHaveLength(count);
		});

		it('with an error where nothing is known', async () => {
			const payment = await createPayment(sandbox);
			sandbox.faults.add({ match: { endpoint: 'get' }, hang: true, times: 'always' });
			const options = { timeout: REQUEST_TIMEOUT };
			const node = polling({ timeoutMinutes: minutes(500), options });
			const startedAt = Date.now();
			const { error } = await engine.runNode({ node, items: [payment] });
			expect(Date.now() - startedAt).toBeLessThan(2_500);
			expect(error).toMatchObject({ context: { outcome: 'unavailable' } });
			expect(error!.description).toContain('can be run again');
		});

		it('and leaves the queue at once when the execution is cancelled', async () => {
			const payments = await Promise.all(
				Array.from({ length: 5 }, async () => await createPayment(sandbox)),
			);
			sandbox.faults.add({
				match: { endpoint: 'get' },
				status: 429,
				headers: { 'Retry-After': '60' },
				times: 'always',
			});
			const options = { timeout: REQUEST_TIMEOUT, maxConcurrency: 2 };
			const running = engine.startNode({ node: polling({ options }), items: payments });
			await until(() => asked().length >= 1);
			await sleep(200);
			const count = asked().length;
			running.cancel();
			const cancelledAt = Date.now();
			expect((await running.finished).status).toBe('canceled');
			expect(Date.now() - cancelledAt).toBeLessThan(500);
			await sleep(1_000);
			expect(asked()).toHaveLength(count);
		});
	});

	it('goes on waiting while AcountPay gives no token, and asks for one again', async () => {
		await useOther({}, { folder: impatientPackage() });
		const payment = await createPayment(sandbox);
		const running = engine.startNode({ node: polling(), items: [payment] });
		await until(() => asked().length >= 2);
		const tokens = requestsFor(sandbox, 'token').length;
		sandbox.faults.add({ match: { endpoint: 'token' }, status: 503, times: 2 });
		sandbox.revokeTokens();
		await until(() => requestsFor(sandbox, 'token').length === tokens + 3);
		sandbox.decline(payment.id);
		expect((await running.finished).json()).toMatchObject([
			{ status: 'failed', waitEndedBy: 'status' },
		]);
	});

	it('goes on for the other payments when one is lost, and names that one in the end', async () => {
		await useShortPatience();
		const payments = [await createPayment(sandbox), await createPayment(sandbox)];
		const lost = { merchant: 'merchant_abc123', id: 'pay_unknown' };
		const running = engine.startNode({
			node: polling(),
			items: [payments[0], lost, payments[1]],
		});
		const lookedFor = (id: string) => asked().filter(({ path }) => path.endsWith(`/${id}`)).length;
		const othersLooked = async (often: number) => {
			const before = payments.map(({ id }) => lookedFor(id));
			await until(() => payments.every(({ id }, at) => lookedFor(id) >= before[at] + often));
		};
		let looks: number;
		do {
			looks = lookedFor('pay_unknown');
			await othersLooked(5);
		} while (lookedFor('pay_unknown') > looks);
		await othersLooked(5);
		expect(lookedFor('pay_unknown')).toBe(looks);
		payments.forEach(({ id }) => sandbox.decline(id));
		const { error } = await running.finished;
		expect(error!.message).toContain("does not find payment 'pay_unknown'");
	});

	it.each([401, 403, 404])(
		'asks again for a new payment that is refused with %i',
		async (status) => {
			await useQuickPolling();
			const payment = await createPayment(sandbox);
			// With a new token a call that got 401 is sent once more at once.
			sandbox.faults.add({ match: { endpoint: 'get' }, status, times: 3 });
			const running = engine.startNode({ node: polling(), items: [payment] });
			await until(() => asked().length >= 5);
			sandbox.decline(payment.id);
			expect((await running.finished).json()).toMatchObject([
				{ status: 'failed', waitEndedBy: 'status' },
			]);
		},
	);

	it.each<[string, IDataObject]>([
		['a paymentId', { paymentId: 'pay_other', status: 'completed' }],
		['an id', { id: 'pay_other', status: 'completed' }],
		['a reference', { referenceNumber: 'OTHER', status: 'completed' }],
	])('does not believe a response with %s of another payment', async (_what, body) => {
		await useQuickPolling();
		const payment = await createPayment(sandbox);
		const running = engine.startNode({ node: polling(), items: [payment] });
		await until(() => asked().length >= 1);
		sandbox.faults.add({ match: { endpoint: 'get' }, body, times: 4 });
		await until(() => asked().length >= 7);
		sandbox.decline(payment.id);
		expect((await running.finished).json()).toMatchObject([
			{ paymentId: payment.id, referenceNumber: 'ORDER-123', status: 'failed', isPaid: false },
		]);
	});

	it('fails at its timeout when AcountPay still responds about another payment, and says so', async () => {
		await useQuickPolling();
		const payment = await createPayment(sandbox);
		const body = { paymentId: 'pay_other', status: 'completed' };
		sandbox.faults.add({ match: { endpoint: 'get', nth: 2 }, body, times: 'always' });
		const node = polling({ timeoutMinutes: minutes(300) });
		const { error } = await engine.runNode({ node, items: [payment] });
		expect(error!.message).toContain(
			`AcountPay was asked about payment '${payment.id}', but responded about payment 'pay_other'`,
		);
	});

	it('is an error when AcountPay knows no such payment for a minute', async () => {
		await useShortPatience();
		const payment = await createPayment(sandbox);
		sandbox.decline(payment.id);
		const items = [{ merchant: payment.merchant, id: 'pay_unknown' }, payment];
		const execution = await engine.runNode({ node: { ...polling(), ...continueOnError }, items });
		expect(execution.json()).toMatchObject([
			{
				error: expect.stringContaining("AcountPay does not find payment 'pay_unknown'"),
				details: { outcome: 'refused', status: 404 },
			},
			{ paymentId: payment.id, status: 'failed' },
		]);
	});

	it('works without a webhook secret', async () => {
		await engine.credential.edit({ webhookSecret: '' });
		const payment = await createPayment(sandbox);
		sandbox.decline(payment.id);
		const execution = await engine.runNode({ node: polling(), items: [payment] });
		expect(execution.json()).toMatchObject([{ status: 'failed' }]);
	});

	it.each<[INodeParameters, string]>([
		[{ timeoutMinutes: 0 }, 'Timeout (Minutes) must be a number above 0'],
		[{ timeoutMinutes: -1 }, 'Timeout (Minutes) must be'],
		[{ timeoutMinutes: 10_081 }, 'at most 10080 (a week), but is 10081'],
		[{ timeoutMinutes: '={{ "35" }}' }, 'Timeout (Minutes) must be'],
		[{ timeoutMinutes: '={{ 0/0 }}' }, 'Timeout (Minutes) must be'],
		[{ resumeOn: '={{ "both" }}' }, 'Resume On must be one of webhook, polling, but is "both"'],
		[{ paymentId: '={{ $json.nothing }}' }, 'Payment ID must not be empty'],
		[{ merchantId: '={{ $json.nothing }}' }, 'Merchant ID must not be empty'],
	])('asks nothing with %j', async (parameters, message) => {
		const items = [{ merchant: 'merchant_abc123', id: 'pay_1' }];
		const { error } = await engine.runNode({ node: polling(parameters), items });
		expect(error!.message).toContain(message);
		expect(sandbox.requests).toEqual([]);
	});
});

describe('waiting parked, for a webhook', () => {
	/** Creates a payment that reports to the execution, and waits for it. */
	const workflow = (wait: INodeParameters = {}, settings = {}) => ({
		nodes: [
			{ name: 'Start', type: 'harness.start' },
			{
				name: 'Create',
				type: 'acountPay',
				parameters: create({ additionalFields: { webhookUrl: '={{ $execution.resumeUrl }}' } }),
			},
			{
				name: 'Wait',
				type: 'acountPay',
				...waitNode({ merchantId: "={{ $('Start').item.json.merchant }}", ...wait }),
				...settings,
			},
			{ name: 'After', type: 'harness.pass' },
		],
		connections: [
			['Start', 'Create'],
			['Create', 'Wait'],
			['Wait', 'After'],
		] as Array<[string, string]>,
	});
	const order = { merchant: 'merchant_abc123', amount: 149.99, reference: 'ORDER-1' };

	interface Parked {
		execution: Execution;
		id: string;
		/** The execution's own URL, as it was given to AcountPay. */
		url: string;
	}
	/** An execution that waits for a payment; its `payment.created` has been dealt with. */
	async function park(wait?: INodeParameters, settings?: object): Promise<Parked> {
		const items = [order];
		const execution = await engine.runWorkflow(workflow(wait, settings), { items, node: 'Wait' });
		expect(execution.status).toBe('waiting');
		await sandbox.webhooksIdle();
		const { id, webhookUrl } = sandbox.payments.at(-1)!;
		return { execution, id: String(id), url: webhookUrl! };
	}
	/** Moves the sandbox's clock, and waits until what became due is delivered. */
	const advance = async (ms: number) => {
		sandbox.clock.advance(ms);
		await sandbox.webhooksIdle();
	};
	const statusesOf = (event: PaymentEvent) =>
		sandbox.deliveries.filter((delivery) => delivery.event === event).map(({ status }) => status);

	it('goes on when the customer has paid', async () => {
		const { execution, id } = await park();
		const inAWhile = 35 * 60_000;
		expect(execution.waitTill!.getTime() - Date.now()).toBeGreaterThan(inAWhile - 20_000);
		expect(execution.waitTill!.getTime() - Date.now()).toBeLessThanOrEqual(inAWhile);
		const [created] = execution.json('Create');

		sandbox.pay(id);
		await advance(1_000);
		expect(statusesOf('payment.processing')).toEqual([200]);
		expect(statusesOf('payment.completed')).toEqual([200]);

		const resumed = await engine.execution(execution.id);
		expect(resumed.status).toBe('success');
		const { timestamp, data } = JSON.parse(
			sandbox.deliveries.find(({ event }) => event === 'payment.completed')!.rawBody,
		);
		const output = {
			...created,
			...data,
			paymentId: id,
			status: 'completed',
			isPaid: true,
			waitEndedBy: 'status',
			statusAt: timestamp,
		};
		expect(resumed.json('Wait')).toEqual([output]);
		expect(resumed.json('After')).toEqual([output]);
		expect(resumed.items('Wait')[0].pairedItem).toEqual({ item: 0 });
		expect(resumed.json('Create')).toEqual([created]);
		expect(resumed.runs('Wait')).toHaveLength(1);
		expect(asked()).toHaveLength(1);
	});

	it('goes on when the customer declines', async () => {
		const { execution, id } = await park();
		sandbox.decline(id);
		await sandbox.webhooksIdle();
		expect((await engine.execution(execution.id)).json('After')).toMatchObject([
			{ paymentId: id, status: 'failed', waitEndedBy: 'status' },
		]);
	});

	it('goes on when nobody has paid for 30 minutes', async () => {
		const { execution, id } = await park();
		await advance(30 * 60_000);
		expect((await engine.execution(execution.id)).json('After')).toMatchObject([
			{ paymentId: id, status: 'expired', waitEndedBy: 'status' },
		]);
	});

	it('is parked with what it hands on when nothing comes: the payment, not final', async () => {
		const { execution, id } = await park({ timeoutMinutes: 2 });
		expect(execution.waitTill!.getTime() - Date.now()).toBeLessThanOrEqual(120_000);
		const [created] = execution.json('Create');
		expect(created).toMatchObject({ id, status: 'pending' });
		expect(created).not.toHaveProperty('waitEndedBy');

		const resumed = await engine.resumeAfterTimeout(execution);
		const output = {
			...created,
			paymentId: id,
			status: 'pending',
			isPaid: false,
			waitEndedBy: 'timeout',
			statusAt: expect.stringMatching(ISO),
		};
		expect(resumed.status).toBe('success');
		expect(resumed.json('Wait')).toEqual([output]);
		expect(resumed.json('After')).toEqual([output]);
		expect(resumed.json('Create')).toEqual([created]);
		const statusAt = Date.parse(resumed.json('After')[0].statusAt as string);
		expect(Math.abs(statusAt - asked()[0].endedAt!)).toBeLessThan(1_000);
	});

	it('keeps what it was given when a status is unknown: it may be anything but final', async () => {
		sandbox.faults.add({ match: { endpoint: 'get' }, body: { id: 'x', status: 'settled' } });
		const { execution } = await park();
		const resumed = await engine.resumeAfterTimeout(execution);
		expect(resumed.json('After')).toMatchObject([{ status: 'settled', waitEndedBy: 'timeout' }]);
	});

	describe('is not woken', () => {
		const stays = async ({ execution }: Parked, before: string) => {
			expect((await engine.execution(execution.id)).status).toBe('waiting');
			expect(engine.executions.get(execution.id)!.data).toBe(before);
		};

		it.each<[string, (parked: Parked) => Promise<string>, unknown?: string]>([
			['payment.created', async ({ id }) => eventBody(sandbox, 'payment.created', id)],
			['payment.processing', async ({ id }) => eventBody(sandbox, 'payment.processing', id)],
			[
				'an event that nobody knows',
				async ({ id }) => eventBody(sandbox, 'payment.refunded' as PaymentEvent, id),
				'payment.refunded',
			],
			[
				'an event that only says completed inside',
				async ({ id }) =>
					JSON.stringify({
						event: 'payment.updated',
						data: { paymentId: id, status: 'completed' },
					}),
				'payment.updated',
			],
			[
				"another payment's end",
				async () => eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id),
			],
		])('by %s: that is answered 200', async (_what, bodyOf, unknown = '') => {
			const parked = await park();
			const before = engine.executions.get(parked.execution.id)!.data;
			const body = await bodyOf(parked);
			expect(await postSigned(sandbox, parked.url, body)).toMatchObject(IGNORED);
			await stays(parked, before);
			expect(engine.log.messages('warn')).toEqual(
				unknown === ''
					? []
					: [
							`AcountPay node 'Wait' ignores "${unknown}": it is signed, but no event that this package knows`,
						],
			);
		});

		it.each([
			['payment.completed', 'failed'],
			['payment.completed', 'reversed'],
			['payment.failed', 'completed'],
			['completed', 'completed'],
		])('by %s with the status %j: it is not known what that means', async (event, status) => {
			const parked = await park();
			const before = engine.executions.get(parked.execution.id)!.data;
			const body = JSON.stringify({ event, data: { paymentId: parked.id, status } });
			expect(await postSigned(sandbox, parked.url, body)).toMatchObject(IGNORED);
			await stays(parked, before);
			// Else AcountPay would be asked again during the tests that follow.
			const right = eventBody(sandbox, 'payment.completed', parked.id);
			expect(await postSigned(sandbox, parked.url, right)).toMatchObject(ACCEPTED);
		});

		it('by a form, of which n8n leaves no bytes to be verified', async () => {
			const parked = await park();
			const before = engine.executions.get(parked.execution.id)!.data;
			const form = { 'content-type': 'multipart/form-data; boundary=x' };
			expect(await post(parked.url, '--x--', form)).toMatchObject({ status: 401 });
			await stays(parked, before);
		});

		it('by anything while the credential can not be read', async () => {
			const parked = await park();
			const before = engine.executions.get(parked.execution.id)!.data;
			const row = jest.spyOn(engine.credential, 'row', 'get').mockImplementationOnce(() => {
				throw new Error('no database');
			});
			const body = eventBody(sandbox, 'payment.completed', parked.id);
			expect(await postSigned(sandbox, parked.url, body)).toMatchObject({ status: 500 });
			expect(row).toHaveBeenCalled();
			await stays(parked, before);
			expect(await postSigned(sandbox, parked.url, body)).toMatchObject(ACCEPTED);
			expect((await engine.execution(parked.execution.id)).status).toBe('success');
		});

		it.each<[string, number, (body: string) => [string, Record<string, string>]]>([
			['unsigned', 401, (body) => [body, {}]],
			['signed with another key', 401, (body) => [body, webhookHeaders(body, 'another')]],
			['signed with an empty key', 401, (body) => [body, webhookHeaders(body, '')]],
			[
				'signed six minutes ago',
				401,
				(body) => [
					body,
					webhookHeaders(
						body,
						sandbox.credentials.webhookSecret,
						Math.floor(Date.now() / 1000) - 360,
					),
				],
			],
			[
				'changed',
				401,
				(body) => [
					body.replace('149.99', '1'),
					webhookHeaders(body, sandbox.credentials.webhookSecret),
				],
			],
			['signed and empty', 400, () => ['', webhookHeaders('', sandbox.credentials.webhookSecret)]],
			[
				'signed and an array',
				400,
				(body) => [`[${body}]`, webhookHeaders(`[${body}]`, sandbox.credentials.webhookSecret)],
			],
		])('by a final event %s: that is refused', async (_what, status, forge) => {
			const parked = await park();
			const before = engine.executions.get(parked.execution.id)!.data;
			const [body, headers] = forge(eventBody(sandbox, 'payment.completed', parked.id));
			expect(await post(parked.url, body, headers)).toMatchObject({ status });
			await stays(parked, before);
			expect(engine.log.messages('warn')).toEqual([
				expect.stringMatching(/^AcountPay node 'Wait' refused a webhook: \S/),
			]);
			expect(engine.log.text()).not.toContain(sandbox.credentials.webhookSecret);

			const right = eventBody(sandbox, 'payment.completed', parked.id);
			expect(await postSigned(sandbox, parked.url, right)).toMatchObject(ACCEPTED);
			expect((await engine.execution(parked.execution.id)).status).toBe('success');
		});

		it("by a right event without n8n's own token", async () => {
			const parked = await park();
			const before = engine.executions.get(parked.execution.id)!.data;
			const body = eventBody(sandbox, 'payment.completed', parked.id);
			const reply = await postSigned(sandbox, parked.url.replace(/\?.*/, ''), body);
			expect(reply).toMatchObject({ status: 401 });
			await stays(parked, before);
		});

		it('by anything once the credential has lost its webhook secret', async () => {
			const parked = await park();
			const before = engine.executions.get(parked.execution.id)!.data;
			await engine.credential.edit({ webhookSecret: '' });
			const body = eventBody(sandbox, 'payment.completed', parked.id);
			for (const key of [sandbox.credentials.webhookSecret, '']) {
				const reply = await post(parked.url, body, webhookHeaders(body, key));
				expect(reply).toMatchObject({ status: 401 });
			}
			await stays(parked, before);
		});
	});

	it('is woken once by three deliveries at the same moment, and by none that come later', async () => {
		const { execution, id, url } = await park();
		const body = eventBody(sandbox, 'payment.completed', id);
		const replies = await Promise.all(
			[1, 2, 3].map(async () => await postSigned(sandbox, url, body)),
		);
		expect(replies.filter((reply) => reply.body === ACCEPTED.body)).toHaveLength(1);
		const resumed = await engine.execution(execution.id);
		expect(resumed.status).toBe('success');
		expect(resumed.runs('After')).toHaveLength(1);
		expect(await postSigned(sandbox, url, body)).toMatchObject({ status: 409 });
	});

	it('is answered before the rest of the workflow runs', async () => {
		const { nodes, connections } = workflow();
		const merchantId = order.merchant;
		const reading = {
			name: 'After',
			type: 'acountPay',
			parameters: { ...getNode().parameters, merchantId },
		};
		const parked = await engine.runWorkflow(
			{ nodes: [...nodes.slice(0, 3), reading], connections },
			{ items: [{ ...order }] },
		);
		await sandbox.webhooksIdle();
		const [{ id, webhookUrl }] = sandbox.payments;
		sandbox.faults.add({ match: { endpoint: 'get' }, latencyMs: 1_000 });
		const body = eventBody(sandbox, 'payment.completed', id);
		expect(await postSigned(sandbox, webhookUrl!, body)).toMatchObject(ACCEPTED);
		expect(engine.executions.get(parked.id)!.status).toBe('running');
		expect((await engine.execution(parked.id)).json('After')).toMatchObject([{ id }]);
	});

	it('counts a signed end where Get lags behind or fails', async () => {
		const reading = { match: { endpoint: 'get' as const }, times: 'always' as const };
		await useOther({}, { folder: quickPackage() });
		sandbox.faults.add({ ...reading, status: 503 });
		const { execution, id } = await park();
		sandbox.pay(id);
		await advance(1_000);
		expect((await engine.execution(execution.id)).json('After')).toMatchObject([
			{ paymentId: id, status: 'completed', amount: 149.99, waitEndedBy: 'status' },
		]);
	});

	it('hands on that nothing is known when Get fails and nothing comes', async () => {
		await useOther({}, { folder: quickPackage() });
		sandbox.faults.add({ match: { endpoint: 'get' }, status: 503, times: 'always' });
		const { execution, id } = await park();
		const resumed = await engine.resumeAfterTimeout(execution);
		expect(resumed.json('After')).toEqual([
			{ paymentId: id, isPaid: false, waitEndedBy: 'timeout', statusAt: null },
		]);
	});

	it.each<[string, IDataObject | undefined, (id: string) => void, string]>([
		['paid', undefined, (id) => sandbox.pay(id), 'completed'],
		['declined', undefined, (id) => sandbox.decline(id), 'failed'],
		['expired', undefined, () => {}, 'expired'],
		["'paid', in the words of a later revision", { status: 'paid' }, () => {}, 'completed'],
	])('goes straight on with a payment that is %s already', async (_what, body, end, status) => {
		const payment = await createPayment(sandbox);
		end(payment.id);
		sandbox.clock.advance(31 * 60_000);
		if (body) sandbox.faults.add({ match: { endpoint: 'get' }, body });
		const execution = await engine.runNode({ node: waitNode(), items: [payment] });
		expect(execution.status).toBe('success');
		expect(execution.json()).toMatchObject([
			{
				paymentId: payment.id,
				status,
				waitEndedBy: 'status',
				statusAt: expect.stringMatching(ISO),
			},
		]);
	});

	it.each<[string, Fault]>([
		['busy', { match: { endpoint: 'get' }, status: 429, headers: { 'Retry-After': '60' } }],
		['out of order', { match: { endpoint: 'get' }, status: 503 }],
		['silent', { match: { endpoint: 'get' }, hang: true }],
		['without a token', { match: { endpoint: 'token' }, status: 503 }],
		['silent about a token', { match: { endpoint: 'token' }, hang: true }],
	])(
		'is parked soon when AcountPay is %s, since nothing can wake it before',
		async (_what, fault) => {
			const folder = variantOfPackage({
				'dist/nodes/AcountPay/actions/payment/waitForCompletion.operation.js': (text) =>
					text.replace('STATUS_CHECK_TIMEOUT = 10_000;', 'STATUS_CHECK_TIMEOUT = 700;'),
			});
			await useOther({}, { folder });
			const payment = await createPayment(sandbox);
			sandbox.faults.add({ ...fault, times: 'always' });
			const startedAt = Date.now();
			const execution = await engine.runNode({ node: waitNode(), items: [payment] });
			expect(execution.status).toBe('waiting');
			expect(Date.now() - startedAt).toBeLessThan(3_000);
		},
	);

	it("is parked once with 'Retry On Fail', whatever AcountPay's answer holds", async () => {
		const payment = await createPayment(sandbox);
		const body = { id: payment.id, status: 'pending', error: 'none so far' };
		sandbox.faults.add({ match: { endpoint: 'get' }, body, times: 'always' });
		const node = waitNode({}, retryOnFail());
		const execution = await engine.runNode({ node, items: [payment] });
		expect(execution.status).toBe('waiting');
		expect(asked()).toHaveLength(1);
		const resumed = await engine.resumeAfterTimeout(execution);
		expect(resumed.json()).toMatchObject([{ ...body, waitEndedBy: 'timeout' }]);
	});

	it('a payment whose Webhook URL is not of this execution is an error: nothing would wake it', async () => {
		const [payment] = [await createPayment(sandbox)];
		const body = { id: payment.id, status: 'pending', webhookUrl: 'https://shop.example/hook' };
		sandbox.faults.add({ match: { endpoint: 'get' }, status: 200, body });
		const { status, error } = await engine.runNode({ node: waitNode(), items: [payment] });
		expect(status).toBe('error');
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringContaining("Resume On can't be Webhook: the payment has another"),
			description: expect.stringContaining('{{ $execution.resumeUrl }}'),
		});
	});

	it('a payment with the Webhook URL of this execution is waited for', async () => {
		const payment = await createPayment(sandbox);
		const before = await engine.runNode({ node: getNode(), items: [payment] });
		// A workflow has a number too.
		const next = String(Number(before.id) + 2);
		const webhookUrl = `${engine.url}/webhook-waiting/${next}/?signature=x`;
		const body = { id: payment.id, status: 'pending', webhookUrl };
		sandbox.faults.add({ match: { endpoint: 'get' }, status: 200, body });
		const { id, status } = await engine.runNode({ node: waitNode(), items: [payment] });
		expect([id, status]).toEqual([next, 'waiting']);
	});

	it('asks, unless Webhook is chosen', async () => {
		const { types } = engine;
		const { properties } = types.getByNameAndVersion('n8n-nodes-acountpay.acountPay').description;
		const field = properties.find(({ name }) => name === 'resumeOn');
		expect(field!.default).toBe('polling');
		const notice = properties.find(({ name }) => name === 'webhookNotice');
		expect(notice!.displayOptions!.show).toEqual({
			resource: ['payment'],
			operation: ['waitForCompletion'],
			resumeOn: ['webhook'],
		});
	});

	it('refuses several items, with a word on what to do', async () => {
		const payments = [await createPayment(sandbox), await createPayment(sandbox)];
		const { error } = await engine.runNode({ node: waitNode(), items: payments });
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringContaining("Resume On can't be Webhook for 2 items"),
			description: expect.stringContaining("'Loop Over Items'"),
		});
		const goingOn = await engine.runNode({ node: waitNode({}, continueOnError), items: payments });
		expect(goingOn.status).toBe('success');
		expect(goingOn.json()).toMatchObject(
			Array(2).fill({
				error: expect.stringContaining('for 2 items'),
				details: { description: expect.stringContaining("'Loop Over Items'") },
			}),
		);
		expect(asked()).toEqual([]);
	});

	it.each(['', ' '])('refuses to park without a webhook secret (%j)', async (webhookSecret) => {
		await useOther({ webhookSecret });
		const payment = await createPayment(sandbox);
		const { status, error } = await engine.runNode({ node: waitNode(), items: [payment] });
		expect(status).toBe('error');
		expect(error).toMatchObject({
			message: expect.stringContaining('The credential has no Webhook Secret'),
			description: expect.stringContaining('fill in Webhook Secret'),
		});
		expect(asked()).toEqual([]);
	});

	it('asks again for a new payment that AcountPay does not find yet, and is parked then', async () => {
		await useQuickPolling();
		const payment = await createPayment(sandbox);
		sandbox.faults.add({ match: { endpoint: 'get' }, status: 404, times: 2 });
		const { status } = await engine.runNode({ node: waitNode(), items: [payment] });
		expect(status).toBe('waiting');
		expect(asked()).toHaveLength(3);
	});

	it('fails when AcountPay responds only about another payment, as polling does', async () => {
		await useQuickPolling();
		const payment = await createPayment(sandbox);
		const body = { paymentId: 'pay_other', status: 'completed' };
		sandbox.faults.add({ match: { endpoint: 'get' }, body, times: 'always' });
		const { error } = await engine.runNode({ node: waitNode(), items: [payment] });
		expect(error!.message).toContain(
			`AcountPay was asked about payment '${payment.id}', but responded about payment 'pay_other'`,
		);
	});

	it('is no error of AcountPay that it can not be read now, but that it is not there for a minute', async () => {
		await useShortPatience();
		const items = [{ merchant: 'merchant_abc123', id: 'pay_unknown' }];
		const { status, error } = await engine.runNode({ node: waitNode(), items });
		expect(status).toBe('error');
		expect(error!.message).toContain("AcountPay does not find payment 'pay_unknown'");
	});

	it('takes an id that is a number', async () => {
		sandbox.settings.numericIds = true;
		const { execution, id } = await park();
		sandbox.decline(id);
		await sandbox.webhooksIdle();
		expect((await engine.execution(execution.id)).json('After')).toMatchObject([
			{ paymentId: id, status: 'failed' },
		]);
	});

	it('waits for one payment after the other in Loop Over Items', async () => {
		const { nodes, connections } = workflow();
		const [start, createNode, wait, after] = nodes;
		const loop = { name: 'Loop', type: 'harness.loop', parameters: { batchSize: 1 } };
		const merchantId = "={{ $('Loop').item.json.merchant }}";
		const execution = await engine.runWorkflow(
			{
				nodes: [start, loop, createNode, { ...wait, ...waitNode({ merchantId }) }, after],
				connections: [
					['Start', 'Loop'],
					['Loop', 0, 'After'],
					['Loop', 1, 'Create'],
					...connections.filter(([from]) => from === 'Create'),
					['Wait', 'Loop'],
				],
			},
			{
				items: [1, 2, 3].map((number) => ({ ...order, reference: `ORDER-${number}` })),
				node: 'Wait',
			},
		);
		for (const end of ['pay', 'decline', 'pay'] as const) {
			const parked = await engine.execution(execution.id);
			expect(parked.status).toBe('waiting');
			await sandbox.webhooksIdle();
			sandbox[end](sandbox.payments.at(-1)!.id);
			await advance(1_000);
		}
		const ended = await engine.execution(execution.id);
		expect(ended.status).toBe('success');
		expect(ended.json('After')).toMatchObject([
			{ referenceNumber: 'ORDER-1', status: 'completed' },
			{ referenceNumber: 'ORDER-2', status: 'failed' },
			{ referenceNumber: 'ORDER-3', status: 'completed' },
		]);
		expect(sandbox.payments).toHaveLength(3);
	});

	it('evaluates nothing of its own on the item that it has changed', async () => {
		const { execution, id, url } = await park({
			merchantId: "={{ $json.merchantOfThisOrder ?? 'merchant_abc123' }}",
			paymentId: '={{ $json.id }}',
			timeoutMinutes: '={{ $json.createdAt ? 5 : "gone" }}',
		});
		const body = eventBody(sandbox, 'payment.failed', id);
		expect(await postSigned(sandbox, url, body)).toMatchObject(ACCEPTED);
		expect((await engine.execution(execution.id)).json('After')).toMatchObject([
			{ paymentId: id, status: 'failed' },
		]);
	});

	it('is known to n8n as parked for this credential alone', async () => {
		const other = 'whsec_of_another_account';
		const { execution, id, url } = await park();
		await engine.credential.edit(credentialFor(sandbox, { webhookSecret: other }));
		const body = eventBody(sandbox, 'payment.failed', id);
		expect(await postSigned(sandbox, url, body)).toMatchObject({ status: 401 });
		expect(await post(url, body, webhookHeaders(body, other))).toMatchObject(ACCEPTED);
		expect((await engine.execution(execution.id)).status).toBe('success');
	});
});
