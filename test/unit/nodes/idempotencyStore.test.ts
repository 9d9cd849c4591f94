import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { IdempotencyStore } from '../../../nodes/AcountPay/execution/idempotencyStore';
import { createPayment } from '../../../nodes/shared/api/payments';
import { execution, placed } from './support';

const request = createPayment('merchant_1', { amount: 10, referenceNumber: 'ORDER-1' });

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
		one.store.record(0, item, placed(request, 'https://a.test'), 'ORDER-1').made({ id: 1 });
		return one;
	};
	const other = { json: { order: 2 } };

	test('knows a payment by what is sent where, for which item, in which turn of a loop', () => {
		const { data, store } = made();
		const edited = { node: { parameters: { amount: 11 } } };
		const retry = execution(data, edited).store;
		expect(retry.record(0, other, placed(request, 'https://a.test'), '').earlier).toMatchObject({
			state: 'made',
		});
		expect(retry.record(1, item, placed(request, 'https://a.test'), '').earlier).toBeUndefined();
		expect(retry.record(0, item, placed(request, 'https://b.test'), '').earlier).toBeUndefined();
		expect(retry.record(0, item, placed(another, 'https://a.test'), '').earlier).toBeUndefined();
		expect(retry.record(0, item, placed(later, 'https://a.test'), '').earlier).toBeUndefined();
		const nextTurn = execution(data, { node, runIndex: 1 }).store;
		expect(nextTurn.record(0, item, placed(request, 'https://a.test'), '').earlier).toBeUndefined();
		expect(store.record(0, item, placed(request, 'https://a.test'), '').earlier).toMatchObject({
			state: 'made',
		});
	});

	test('knows a payment by where it comes from, when its expressions give something else each time', () => {
		const { data } = made();
		const withOptions = {
			node: { parameters: { ...parameters, options: { resendUnknown: true } } },
		};
		const retry = execution(JSON.parse(JSON.stringify(data)), withOptions).store;
		expect(retry.record(0, item, placed(later, 'https://a.test'), '').earlier).toMatchObject({
			answer: { id: 1 },
		});
		expect(retry.record(0, other, placed(later, 'https://a.test'), '').earlier).toBeUndefined();
		expect(retry.record(0, item, placed(later, 'https://b.test'), '').earlier).toBeUndefined();
	});

	test('prefers what is sent to where it comes from', () => {
		const { data } = made();
		const edited = execution(data, { node: { parameters: {} } }).store;
		edited.record(0, item, placed(later, 'https://a.test'), 'ORDER-1').made({ id: 2 });
		const back = execution(data, { node }).store;
		expect(back.record(0, item, placed(later, 'https://a.test'), '').earlier).toMatchObject({
			answer: { id: 2 },
		});
		expect(back.record(0, item, placed(request, 'https://a.test'), '').earlier).toMatchObject({
			answer: { id: 1 },
		});
		expect(back.summary().made).toHaveLength(2);
	});

	test('goes back to what was known when a request made nothing', () => {
		const { store } = execution();
		const record = store.record(0, item, placed(request, 'https://a.test'), 'ORDER-1');
		record.sending();
		record.notMade();
		expect(record.earlier).toBeUndefined();
		record.unknown('was late');
		record.sending();
		expect(record.earlier).toMatchObject({ state: 'sent' });
		record.notMade();
		expect(record.earlier).toMatchObject({ state: 'unknown', what: 'was late' });
		record.sending();
		record.made({ id: 1 });
		expect(store.summary()).toEqual({
			made: [{ itemIndex: 0, referenceNumber: 'ORDER-1', paymentId: '1' }],
			unknown: [],
		});
	});

	test('sums up what was made and what is open', () => {
		const { store } = execution();
		const record = (index: number, reference: string) =>
			store.record(index, item, placed(request, 'https://a.test'), reference);
		record(2, 'C').unknown('was late');
		record(0, 'A').made({ id: 'pay_a' });
		record(1, 'B').made({ paymentId: 7 });
		record(3, 'D').sending();
		record(4, 'E').made({ other: true });
		const refused = record(5, 'F');
		refused.sending();
		refused.notMade();
		expect(store.summary()).toEqual({
			made: [
				{ itemIndex: 0, referenceNumber: 'A', paymentId: 'pay_a' },
				{ itemIndex: 1, referenceNumber: 'B', paymentId: '7' },
				{ itemIndex: 4, referenceNumber: 'E', paymentId: undefined },
			],
			unknown: [
				{ itemIndex: 2, referenceNumber: 'C' },
				{ itemIndex: 3, referenceNumber: 'D' },
			],
		});
	});

	test('leaves nothing behind when it is closed, but for the other turns', () => {
		const { data, store } = made();
		const nextTurn = execution(data, { runIndex: 1 }).store;
		nextTurn.record(0, item, placed(request, 'https://a.test'), 'ORDER-1').made({ id: 2 });
		store.close(false);
		expect(Object.keys(data.payments as object)).toEqual(['1']);
		nextTurn.close(true);
		expect(data).toEqual({});
		nextTurn.close(false);
		expect(data).toEqual({});
	});

	test.each([
		[undefined, 3],
		[0, 3],
		[1, 2],
		[2, 2],
		[4, 4],
		[9, 5],
	])('is kept as long as n8n runs the node again: Max. Tries %p', (maxTries, tries) => {
		const data = {};
		const run = (id: string) =>
			execution(data, { id, node: { retryOnFail: true, maxTries } }).store.close(true);
		// A retry by hand is another execution, and starts counting anew.
		run('0');
		for (let count = 1; count < tries; count++) {
			run('1');
			expect(data).toHaveProperty('payments');
		}
		run('1');
		expect(data).toEqual({});
	});

	test('is kept where n8n runs the node again without end: Max. Tries 2.5', () => {
		const data = {};
		for (let count = 0; count < 9; count++) {
			execution(data, { node: { retryOnFail: true, maxTries: 2.5 } }).store.close(true);
			expect(data).toHaveProperty('payments');
		}
	});

	test('is not kept when the output does not look failed', () => {
		const { data, store } = execution({}, { node: { retryOnFail: true } });
		store.close(false);
		expect(data).toEqual({});
	});

	test('keeps what a request can be looked up by, and nothing where there is nothing', () => {
		const { data, store } = execution();
		const trace = {
			id: 'a',
			payment: { merchantId: 'm', referenceNumber: 'ORDER-1', amount: 10, currency: 'DKK' },
		};
		const record = store.record(0, item, placed(request), 'ORDER-1');
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

	test('tells a creation of all others, in all turns', () => {
		const { data, store } = execution();
		const nextTurn = execution(data, { runIndex: 1 }).store;
		const record = store.record(0, item, placed(request), 'A');
		expect(record.others()).toEqual([]);
		record.made({ id: 1 });
		store.record(1, item, placed(request), 'B').made({ id: 2 });
		nextTurn.record(0, item, placed(request), 'C').unknown('was late');
		expect(record.others().map(({ referenceNumber }) => referenceNumber)).toEqual(['B', 'C']);
		store.close(false);
		nextTurn.close(false);
		expect(record.others()).toEqual([]);
	});

	test('tells of a cancellation once in an execution', () => {
		const { data, store } = execution({}, { id: '1' });
		expect([store.isFirstCancellation(), store.isFirstCancellation()]).toEqual([true, false]);
		expect(execution(data, { id: '1' }).store.isFirstCancellation()).toBe(false);
		expect(execution(data, { id: '2' }).store.isFirstCancellation()).toBe(true);
	});

	test('keeps the calls of a tool apart, and the tries of one call together', () => {
		const data: IDataObject = {};
		const call = (toolArguments: IDataObject) => {
			const context = {
				getContext: () => data,
				getWorkflowDataProxy: () => ({ $runIndex: Math.random() }),
				getExecutionId: () => '1',
				getNode: () => ({ parameters: {} }),
				getInputData: () => [{ json: toolArguments }],
				isToolExecution: () => true,
			} as unknown as IExecuteFunctions;
			return new IdempotencyStore(context).record(0, { json: {} }, placed(request), 'A');
		};
		const [one, equal] = [{ order: 1 }, { order: 1 }];
		call(one).made({ id: 1 });
		expect(call(one).earlier).toMatchObject({ answer: { id: 1 } });
		expect(call(equal).earlier).toBeUndefined();
		call(equal).made({ id: 2 });
		expect(call(one).earlier).toMatchObject({ answer: { id: 1 } });
		const turns = Object.keys(data.payments as object);
		expect(turns).toHaveLength(2);
		for (const turn of turns) expect(turn).toMatch(/^call:[\da-f-]{36}$/);
	});
});
