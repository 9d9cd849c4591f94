import { createHash } from 'node:crypto';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import fc from 'fast-check';
import type {
	Entry,
	IdempotencyRecord,
} from '../../../../nodes/AcountPay/creation/idempotencyRecord';
import { IdempotencyStore } from '../../../../nodes/AcountPay/creation/idempotencyStore';
import { createPayment } from '../../../../nodes/shared/api/payments';
import { Cancelled } from '../../../../nodes/shared/errors';
import { execution, label, built } from '../../support';

const request = createPayment('merchant_1', { amount: 10, referenceNumber: 'ORDER-1' });

/** The entries of the first item in the first turn. */
const storedIn = ({ payments }: IDataObject) =>
	(payments as unknown as Array<{ items: Entry[][] }>)[0].items[0];

describe('the idempotency store', () => {
	const another = createPayment('merchant_2', { amount: 10, referenceNumber: 'ORDER-1' });
	const item = { json: { order: 1 } };
	const parameters = { amount: '={{ $json.amount }}', options: { timeout: 1 } };
	const node = { parameters };
	const later = createPayment('merchant_1', {
		amount: 10,
		referenceNumber: 'ORDER-1',
		metadata: { at: 2 },
	});
	const made = () => {
		const one = execution({}, { node });
		one.store
			.record(0, item, built(request, 'https://a.test'), label('ORDER-1'))
			.created({ id: 1 });
		return one;
	};
	const other = { json: { order: 2 } };

	it('knows a payment by what is sent where, for which item, in which turn of a loop', () => {
		const { data, store } = made();
		const edited = { node: { parameters: { amount: 11 } } };
		const retry = execution(data, edited).store;
		expect(
			retry.record(0, other, built(request, 'https://a.test'), label('')).earlier,
		).toMatchObject({
			state: 'made',
		});
		expect(
			retry.record(1, item, built(request, 'https://a.test'), label('')).earlier,
		).toBeUndefined();
		expect(
			retry.record(0, item, built(request, 'https://b.test'), label('')).earlier,
		).toBeUndefined();
		expect(
			retry.record(0, item, built(another, 'https://a.test'), label('')).earlier,
		).toBeUndefined();
		expect(
			retry.record(0, item, built(later, 'https://a.test'), label('')).earlier,
		).toBeUndefined();
		const nextTurn = execution(data, { node, runIndex: 1 }).store;
		expect(
			nextTurn.record(0, item, built(request, 'https://a.test'), label('')).earlier,
		).toBeUndefined();
		expect(
			store.record(0, item, built(request, 'https://a.test'), label('')).earlier,
		).toMatchObject({
			state: 'made',
		});
	});

	it('knows a payment by where it comes from, when its expressions give something else each time', () => {
		const { data } = made();
		const withOptions = {
			node: { parameters: { ...parameters, options: { resendUnknown: true } } },
		};
		const retry = execution(JSON.parse(JSON.stringify(data)), withOptions).store;
		expect(retry.record(0, item, built(later, 'https://a.test'), label('')).earlier).toMatchObject({
			answer: { id: 1 },
		});
		expect(
			retry.record(0, other, built(later, 'https://a.test'), label('')).earlier,
		).toBeUndefined();
		expect(
			retry.record(0, item, built(later, 'https://b.test'), label('')).earlier,
		).toBeUndefined();
	});

	it('prefers what is sent to where it comes from, and that to what a person knows it by', () => {
		const { data } = made();
		const edited = execution(data, { node: { parameters: {} } }).store;
		const at = 'https://a.test';
		edited.record(0, item, built(later, at), label('ORDER-2')).created({ id: 2 });
		const back = execution(data, { node }).store;
		const answerTo = (request: typeof later, reference: string, from = item) =>
			back.record(0, from, built(request, at), label(reference)).earlier;
		expect(answerTo(later, 'ORDER-1')).toMatchObject({ answer: { id: 2 } });
		expect(answerTo(request, 'ORDER-2')).toMatchObject({ answer: { id: 1 } });
		expect(answerTo(another, 'ORDER-2')).toMatchObject({ answer: { id: 1 } });
		expect(answerTo(another, 'ORDER-2', other)).toMatchObject({ answer: { id: 2 } });
		expect(back.endedItems().map(({ end }) => end)).toEqual(['created', 'created']);
	});

	describe('knows a payment whose reference is another one in each try', () => {
		const written = { merchantId: 'm1', referenceNumber: '=X-{{ $execution.id }}', amount: 10 };
		const from = (
			data: IDataObject,
			edits: object,
			{ reference = 'X-2', terms = '10 DKK', merchantId = 'm1', of = item } = {},
		) => {
			const { store } = execution(data, { node: { parameters: { ...written, ...edits } } });
			const sent = createPayment(merchantId, { amount: 10, referenceNumber: reference });
			return store.record(0, of, built(sent, 'https://a.test'), {
				referenceNumber: reference,
				key: `${merchantId} ${reference}`,
				terms,
				merchantId,
			});
		};
		const storedOf = (put: (record: IdempotencyRecord) => void) => {
			const data: IDataObject = {};
			put(from(data, {}, { reference: 'X-1' }));
			return JSON.parse(JSON.stringify(data)) as IDataObject;
		};
		const stored = () => storedOf((record) => record.created({ id: 1 }));

		it('by the fields that it is written in, whatever else a person has edited', () => {
			for (const edits of [{}, { description: 'new' }, { amount: '=10' }]) {
				const record = from(stored(), edits);
				expect(record.earlier).toMatchObject({ answer: { id: 1 } });
				expect(record.hasChanged).toBe(false);
			}
			// The same merchant, entered in another way.
			const picked = { __rl: true, mode: 'list', value: 'm1', cachedResultName: 'Shop' };
			for (const merchantId of [picked, { __rl: true, mode: 'id', value: 'm1' }]) {
				expect(from(stored(), { merchantId }).earlier).toMatchObject({ answer: { id: 1 } });
			}
			// As earlier code stored it: with how the merchant was picked.
			const data: IDataObject = {};
			from(data, { merchantId: picked }, { reference: 'X-1' }).created({ id: 1 });
			const fields = Object.entries({ ...written, merchantId: picked }).slice(0, 2);
			const parts = ['https://a.test', request.path, fields, item.json];
			storedIn(data)[0].labelOrigin = createHash('sha256')
				.update(JSON.stringify(parts))
				.digest('base64url');
			const edits = { merchantId: picked, description: 'new' };
			expect(from(data, edits).earlier).toMatchObject({ answer: { id: 1 } });
			const open = storedOf((record) => record.unknown('was late'));
			expect(from(open, { description: 'new' }).earlier).toMatchObject({ state: 'unknown' });
		});

		it('but not with another amount or merchant, also where only an expression gives another', () => {
			for (const edits of [{}, { description: 'new' }]) {
				expect(from(stored(), edits, { terms: '20 DKK' }).hasChanged).toBe(true);
				expect(from(stored(), edits, { merchantId: 'm2' }).hasChanged).toBe(true);
			}
		});

		it('but not of another item, nor once a person has written another merchant or reference', () => {
			expect(from(stored(), { description: 'new' }, { of: other }).earlier).toBeUndefined();
			for (const edits of [{ merchantId: 'm2' }, { referenceNumber: '=Y-{{ $execution.id }}' }]) {
				expect(from(stored(), edits).earlier).toBeUndefined();
			}
		});

		it('but not where 0.1.0 stored nothing about those fields', () => {
			const data = stored();
			delete storedIn(data)[0].labelOrigin;
			expect(from(data, { description: 'new' }).earlier).toBeUndefined();
		});
	});

	describe('knows a payment by item, merchant and reference', () => {
		const changed = { json: { order: 9 } };
		const edit = (data: IDataObject, terms?: string) => {
			const { store } = execution(data, { node: { parameters: { description: 'new' } } });
			return store.record(0, changed, built(another, 'https://a.test'), label('ORDER-1', terms));
		};

		it.each<[string, (record: IdempotencyRecord) => void]>([
			['created', (record) => record.created({ id: 1 })],
			['open', (record) => record.unknown('was late')],
			['being sent when n8n was killed', (record) => record.sending()],
		])('%s, whatever else a person has edited', (_what, put) => {
			const { data, store } = execution();
			put(store.record(0, item, built(request, 'https://a.test'), label('ORDER-1')));
			const stored = JSON.parse(JSON.stringify(data)) as IDataObject;
			expect(edit(stored).earlier).toBeDefined();
			expect(edit(stored).hasChanged).toBe(false);
			expect(edit(stored, '11 DKK').hasChanged).toBe(true);
		});

		it('but with nothing to compare, an entry of an older version is another one', () => {
			const { data, store } = execution();
			const record = store.record(0, item, built(request, 'https://a.test'), label('ORDER-1'));
			record.created({ id: 1 });
			const [entry] = storedIn(data);
			delete entry.key;
			delete entry.terms;
			expect(edit(data).earlier).toMatchObject({ state: 'made' });
			expect(edit(data).hasChanged).toBe(true);
			// By the stored hashes it is known for certain.
			const same = execution(data, { node }).store;
			const known = same.record(0, other, built(request, 'https://a.test'), label('ORDER-1'));
			expect(known.hasChanged).toBe(false);
		});
	});

	describe('what comes back in another turn of a loop', () => {
		const inTurn = (data: IDataObject, runIndex: number, reference = 'ORDER-1') =>
			execution(data, { runIndex }).store.record(
				0,
				other,
				built(later, 'https://a.test'),
				label(reference),
			);

		it('is in the way as long as it is open, with its items renumbered', () => {
			const { data, store } = execution();
			const open = store.record(5, item, built(request, 'https://a.test'), label('ORDER-1'));
			open.unknown('was late');
			store.record(6, item, built(another, 'https://a.test'), label('ORDER-2')).created({ id: 2 });
			store.close(false);
			expect(inTurn(data, 1).earlier).toBeUndefined();
			expect(inTurn(data, 1).obstacle).toMatchObject({ what: 'was late' });
			expect(inTurn(data, 1, 'ORDER-2').obstacle).toBeUndefined();
			expect(inTurn(data, 0).obstacle).toBeUndefined();
			open.created({ id: 1 });
			store.close(false);
			expect(inTurn(data, 2).obstacle).toBeUndefined();
		});

		it('is in the way when it was created for an item that failed', () => {
			const { data, store } = execution();
			store.record(0, item, built(request, 'https://a.test'), label('ORDER-1')).created({ id: 1 });
			store.setFailed(0, true);
			store.close(false);
			expect(inTurn(data, 1).obstacle).toMatchObject({ answer: { id: 1 } });
			store.setFailed(0, false);
			store.close(false);
			expect(inTurn(data, 1).obstacle).toBeUndefined();
		});

		it('is not in the way while it is in flight', () => {
			const { data, store } = execution();
			store.record(0, item, built(request, 'https://a.test'), label('ORDER-1')).sending();
			expect(inTurn(data, 1).obstacle).toBeUndefined();
			const stored = JSON.parse(JSON.stringify(data)) as IDataObject;
			expect(inTurn(stored, 1).obstacle).toMatchObject({ state: 'sent' });
		});
	});

	describe('two retries of one execution, in one process', () => {
		let began = 0;
		let retries = 0;
		beforeEach(() => began++);

		it('are in the way of each other only in the same node', () => {
			const retryOf = -1;
			const one = execution({}, { id: 'r1', retryOf });
			one.store.record(0, item, built(request), label('ORDER-1')).created({ id: 1 });
			const nodes = ['AcountPay', 'Deposit'].map((name) => ({ node: { name }, id: 'r2', retryOf }));
			const others = nodes.map((node) => execution({}, node).store.findOtherRetry());
			expect(others).toEqual(['r1', undefined]);
		});

		const retry = (
			stored: IDataObject,
			{ index = 0, turn = 0, wanted = request, reference = 'ORDER-1' } = {},
			inProcess = execution,
			retryOf = began,
		) => {
			const data = JSON.parse(JSON.stringify(stored)) as IDataObject;
			const id = `retry ${++retries}`;
			const { store } = inProcess(data, { retryOf, id, runIndex: turn });
			return {
				id,
				data,
				store,
				record: store.record(index, item, built(wanted), label(reference)),
			};
		};
		type Retry = ReturnType<typeof retry>;
		/** Creates something else than {@link retry} asks for by itself. */
		const createSomething = (stored: IDataObject = {}) => {
			const one = retry(stored, { wanted: another, reference: 'ORDER-2' });
			one.record.sending();
			one.record.created({ id: retries });
			return one;
		};
		const refusal = (executionId: string) => new Error(executionId);
		/** @returns the retry that keeps this one from creating anything */
		const keptBy = async ({ record }: Retry) =>
			await record.unlessRetriedElsewhere(async () => undefined, refusal).catch(String);
		const errorOf = ({ id }: Retry) => `Error: ${id}`;

		/** Executions in a process that has just begun. */
		const restarted = (): typeof execution => {
			let support: { execution: typeof execution } | undefined;
			jest.isolateModules(
				() => (support = jest.requireActual<{ execution: typeof execution }>('../../support')),
			);
			return support!.execution;
		};

		it.each<[string, (record: IdempotencyRecord) => void]>([
			['has created', (record) => record.created({ id: 1 })],
			['does not know', (record) => record.unknown('was late')],
			['has sent', (record) => record.sending()],
		])(
			'only one creates: what the first %s keeps the other from creating anything',
			async (_, put) => {
				const first = retry({});
				put(first.record);
				for (const wants of [{}, { index: 4 }, { turn: 2 }, { wanted: another, reference: 'B' }]) {
					expect(await keptBy(retry({}, wants))).toBe(errorOf(first));
				}
				expect(await keptBy(first)).toBeUndefined();
				expect(await keptBy(retry({}, {}, execution, began + 1_000))).toBeUndefined();
			},
		);

		it('only one creates, also once it has ended well', async () => {
			const first = createSomething();
			first.store.close(false);
			// A retry of this retry must know whose it is, and nothing else is kept.
			expect(first.data).toEqual({ id: String(began), retries: [first.id] });
			expect(await keptBy(retry({}))).toBe(errorOf(first));
			expect(await keptBy(retry(first.data))).toBeUndefined();
		});

		it('only one creates at a time, though nothing is recorded yet', async () => {
			const [first, second] = [retry({}), retry({})];
			let kept: unknown;
			await first.record.unlessRetriedElsewhere(async () => (kept = await keptBy(second)), refusal);
			expect(kept).toBe(errorOf(first));
		});

		it.each<[string, (one: Retry) => void]>([
			['created nothing', ({ record }) => record.notCreated()],
			['only found what existed', ({ record }) => record.created({ id: 1, existing: true })],
		])('the second one creates after the first has %s', async (_what, end) => {
			const first = retry({});
			first.record.sending();
			end(first);
			// 'Retry On Fail' runs the node again.
			execution(first.data, { retryOf: began, id: first.id });
			expect(await keptBy(retry({}))).toBeUndefined();
		});

		it('the second one still has what the execution itself has created', () => {
			const { data, store } = execution();
			store.record(0, item, built(request), label('ORDER-1')).created({ id: 1 });
			createSomething(data);
			expect(retry(data).record.earlier).toMatchObject({ answer: { id: 1 } });
		});

		it('keep others from creating where the first execution was the only one to create, and a retry closed that', async () => {
			const { data, store } = execution();
			const record = store.record(0, item, built(request), label('ORDER-1'));
			record.created({ id: 1 });
			store.setFailed(0, true);
			const first = retry(data);
			first.store.setFailed(0, false);
			first.store.close(false);
			const second = createSomething(first.data);
			expect(await keptBy(retry(data))).toBe(errorOf(second));
		});

		it('what a look-up has found is no creation of the retry that looked', async () => {
			const { data, store } = execution();
			store.record(0, item, built(request), label('ORDER-1')).unknown('was late');
			const first = retry(data);
			first.record.created({ id: 1 });
			expect(first.record.earlier).toMatchObject({ state: 'made', answer: { id: 1 } });
			expect(await keptBy(retry(data))).toBeUndefined();
			expect(await keptBy(retry(first.data))).toBeUndefined();
		});

		it('retries of the first go on where it has stopped, and retries of the second are kept from it', async () => {
			const first = createSomething();
			const second = retry({});
			expect(await keptBy(second)).toBe(errorOf(first));
			expect(await keptBy(retry(first.data))).toBeUndefined();
			for (const inProcess of [execution, restarted()]) {
				expect(await keptBy(retry(second.data, {}, inProcess))).toBe(errorOf(first));
			}
			const third = createSomething(first.data);
			expect(await keptBy(retry(first.data))).toBe(errorOf(third));
			expect(await keptBy(retry(third.data))).toBeUndefined();
		});

		it('a retry that has ended before it came to this keeps its own retries from it, after a restart', async () => {
			const first = createSomething();
			expect(await keptBy(retry(retry({}).data, {}, restarted()))).toBe(errorOf(first));
		});

		it('what a retry has stored keeps others from creating it, after a restart', async () => {
			const first = createSomething();
			const inProcess = restarted();
			retry(first.data, {}, inProcess);
			expect(await keptBy(retry({}, {}, inProcess))).toBe(errorOf(first));
		});

		it('what a retry has only found keeps nobody from creating, also after a restart', async () => {
			const first = retry({});
			first.record.created({ id: 1, existing: true });
			const inProcess = restarted();
			retry(first.data, {}, inProcess);
			expect(await keptBy(retry({}, {}, inProcess))).toBeUndefined();
		});

		it('are those of the same execution, also where earlier code stored the ID with the turn', async () => {
			const items = { 0: [] };
			const first = createSomething({ id: 'E', retries: ['old'] });
			expect(await keptBy(retry({ payments: { 1: { items, id: 'E' } } }))).toBe(errorOf(first));
		});

		it('are not those of an execution that began in the same millisecond', async () => {
			const [one, other] = [execution({}), execution({})].map(({ data }) => data);
			const first = createSomething(one);
			expect(await keptBy(retry(one))).toBe(errorOf(first));
			expect(await keptBy(retry(other))).toBeUndefined();
		});

		it('create nothing twice, whichever are retried and in what order they go on', async () => {
			const ORDERS = 3;
			const step = fc.record({
				/** Which execution is retried; 0 is the first. */
				of: fc.nat(6),
				/** Which retry goes on, with which order. */
				at: fc.nat(6),
				order: fc.nat(ORDERS - 1),
				outcome: fc.constantFrom('created', 'refused', 'unknown', 'still sent'),
			});
			await fc.assert(
				fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
					began++;
					const executions = [execution({}).data];
					const runs = new Map<number, (order: number) => IdempotencyRecord>();
					/** By order: what may exist. */
					const sent = new Map<number, number>();
					for (const { of, at, order, outcome } of steps) {
						const retried = of % executions.length;
						const { data, store } = retry(executions[retried]);
						// n8n retries only what has ended.
						runs.delete(retried);
						runs.set(executions.length, (index) => {
							const wanted = { ...request, path: `/${index}` };
							return store.record(index, item, built(wanted), label(`ORDER-${index}`));
						});
						executions.push(data);
						const record = [...runs.values()][at % runs.size](order);
						if (record.earlier) continue;
						const create = async () => {
							record.sending();
							if (outcome === 'created') record.created({ id: order });
							if (outcome === 'unknown') record.unknown('was late');
							if (outcome === 'refused') record.notCreated();
							else sent.set(order, (sent.get(order) ?? 0) + 1);
						};
						await record.unlessRetriedElsewhere(create, refusal).catch(() => {});
					}
					expect([...sent.values()].filter((count) => count > 1)).toEqual([]);
				}),
				{ numRuns: 500 },
			);
		});
	});

	it('the tries of one item take turns, and give up when they are cancelled', async () => {
		const { store } = execution();
		const [one, two, three, four] = [1, 2, 3, 4].map(() =>
			store.record(0, item, built(request), label('ORDER-1')),
		);
		const order: string[] = [];
		let release = () => {};
		const first = one.exclusively(undefined, async () => {
			await new Promise<void>((resolve) => (release = resolve));
			order.push('first');
		});
		const second = two.exclusively(undefined, async () => order.push('second'));
		const stop = new AbortController();
		const third = three.exclusively(stop.signal, async () => order.push('third'));
		const fourth = four.exclusively(undefined, async () => order.push('fourth'));
		stop.abort();
		await expect(third).rejects.toBeInstanceOf(Cancelled);
		await Promise.resolve();
		expect(order).toEqual([]);
		release();
		await Promise.all([first, second, fourth]);
		expect(order).toEqual(['first', 'second', 'fourth']);
	});

	it('goes back to what was known when a request created nothing', () => {
		const { store } = execution();
		const record = store.record(0, item, built(request, 'https://a.test'), label('ORDER-1'));
		record.sending();
		record.notCreated();
		expect(record.earlier).toBeUndefined();
		record.unknown('was late');
		record.sending();
		expect(record.earlier).toMatchObject({ state: 'sent' });
		record.notCreated();
		expect(record.earlier).toMatchObject({ state: 'unknown', what: 'was late' });
		record.sending();
		record.created({ id: 1 });
		expect(store.endedItems()).toEqual([
			{ itemIndex: 0, name: 'ORDER-1', id: '1', end: 'created' },
		]);
	});

	it('sums up what was created, what was there before, and what is unknown', () => {
		const { store } = execution();
		const record = (index: number, reference: string) =>
			store.record(index, item, built(request, 'https://a.test'), label(reference));
		record(2, 'C').unknown('was late');
		record(0, 'A').created({ id: 'pay_a' });
		record(1, 'B').created({ id: 7 });
		record(3, 'D').sending();
		record(4, 'E').created({ other: true });
		record(6, 'G').created({ id: 'pay_g', existing: true });
		const refused = record(5, 'F');
		refused.sending();
		refused.notCreated();
		expect(store.endedItems()).toEqual([
			{ itemIndex: 0, name: 'A', id: 'pay_a', end: 'created' },
			{ itemIndex: 1, name: 'B', id: '7', end: 'created' },
			{ itemIndex: 2, name: 'C', end: 'unknown' },
			{ itemIndex: 3, name: 'D', end: 'unknown' },
			{ itemIndex: 4, name: 'E', id: undefined, end: 'created' },
			{ itemIndex: 6, name: 'G', id: 'pay_g', end: 'existing' },
		]);
	});

	it('leaves nothing behind when it is closed, but for the other turns', () => {
		const { data, store } = made();
		const nextTurn = execution(data, { runIndex: 1 }).store;
		nextTurn.record(0, item, built(request, 'https://a.test'), label('ORDER-1')).created({ id: 2 });
		store.close(false);
		expect(Object.keys(data.payments as object)).toEqual(['1']);
		nextTurn.close(true);
		expect(data).toEqual({});
		nextTurn.close(false);
		expect(data).toEqual({});
	});

	it('is kept where n8n may run the node again', () => {
		const { data, store } = execution({}, { node: { retryOnFail: true } });
		store.close(true);
		expect(data).toHaveProperty('payments');
	});

	it('is not kept when the output does not look failed', () => {
		const { data, store } = execution({}, { node: { retryOnFail: true } });
		store.close(false);
		expect(data).toEqual({});
	});

	it('keeps what a request can be looked up by, and nothing where there is nothing', () => {
		const { data, store } = execution();
		const trace = {
			id: 'a',
			payment: { merchantId: 'm', referenceNumber: 'ORDER-1', amount: 10, currency: 'DKK' },
		};
		const record = store.record(0, item, built(request), label('ORDER-1'));
		record.sending(trace);
		expect(record.earlier).toMatchObject({ state: 'sent', trace });
		record.unknown('was late', trace);
		expect(record.earlier).toMatchObject({ state: 'unknown', what: 'was late', trace });
		record.unknown('was late');
		expect(record.earlier).not.toHaveProperty('trace');
		record.sending();
		expect(record.earlier).not.toHaveProperty('trace');
		expect(JSON.stringify(data)).not.toContain('undefined');
	});

	it('tells a creation of all others, in all turns', () => {
		const { data, store } = execution();
		const nextTurn = execution(data, { runIndex: 1 }).store;
		const record = store.record(0, item, built(request), label('A'));
		expect(record.others()).toEqual([]);
		record.created({ id: 1 });
		store.record(1, item, built(request), label('B')).created({ id: 2 });
		nextTurn.record(0, item, built(request), label('C')).unknown('was late');
		expect(record.others().map(({ referenceNumber }) => referenceNumber)).toEqual(['B', 'C']);
		store.close(false);
		nextTurn.close(false);
		// What is open stays open for the whole execution.
		expect(record.others().map(({ referenceNumber }) => referenceNumber)).toEqual(['C']);
	});

	it('knows other creations by id: of earlier turns, of parallel calls, and of none that was dropped', () => {
		const { data, store } = execution();
		const parallel = execution(data, { runIndex: 1 }).store;
		const [one, other] = [store, parallel].map((each, at) =>
			each.record(0, item, built(request), label(['A', 'B'][at])),
		);
		const named = (id: string) =>
			one.othersWithId(id).map(({ referenceNumber }) => referenceNumber);
		one.created({ id: 1 });
		expect(named('1')).toEqual([]);
		other.created({ id: 1 });
		expect(named('1')).toEqual(['B']);
		other.created({ id: 2 });
		expect([named('1'), named('2')]).toEqual([[], ['B']]);
		other.sending();
		expect(named('2')).toEqual([]);
		other.notCreated();
		expect(named('2')).toEqual(['B']);
		// In a retry, n8n hands out a copy of what it has stored.
		const copy = execution(structuredClone(data), { runIndex: 2 }).store;
		const record = copy.record(0, item, built(request), label('C'));
		expect(record.othersWithId('1').concat(record.othersWithId('2'))).toHaveLength(2);
	});

	it('tells of a cancellation once in an execution', () => {
		const { data, store } = execution({}, { id: '1' });
		expect([store.isFirstCancellation(), store.isFirstCancellation()]).toEqual([true, false]);
		expect(execution(data, { id: '1' }).store.isFirstCancellation()).toBe(false);
		const retry = execution(structuredClone(data), { id: '2' });
		expect(retry.store.isFirstCancellation()).toBe(true);
	});

	it('keeps the calls of a tool apart, and the tries of one call together', () => {
		const data: IDataObject = {};
		const storeOf = (toolArguments: IDataObject) =>
			new IdempotencyStore({
				getContext: () => data,
				getWorkflowDataProxy: () => ({ $runIndex: Math.random() }),
				// A call by an MCP client has none.
				getExecutionId: () => undefined,
				getMode: () => 'webhook',
				getNode: () => ({ parameters: {} }),
				getInputData: () => [{ json: toolArguments }],
				isToolExecution: () => true,
			} as unknown as IExecuteFunctions);
		const call = (toolArguments: IDataObject) =>
			storeOf(toolArguments).record(0, { json: {} }, built(request), label('A'));
		const [one, equal] = [{ order: 1 }, { order: 1 }];
		call(one).created({ id: 1 });
		expect(call(one).earlier).toMatchObject({ answer: { id: 1 } });
		expect(call(equal).earlier).toBeUndefined();
		call(equal).created({ id: 2 });
		expect(call(one).earlier).toMatchObject({ answer: { id: 1 } });
		const isFirst = [one, one, equal].map((each) => storeOf(each).isFirstCancellation());
		expect(isFirst).toEqual([true, false, true]);
		const turns = Object.keys(data.payments as object);
		expect(turns).toHaveLength(2);
		for (const turn of turns) expect(turn).toMatch(/^call:[\da-f-]{36}$/);
	});
});
