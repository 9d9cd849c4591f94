import type { IExecuteFunctions, INode } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';
import {
	cancelledError,
	errorItem,
	nodeErrorFor,
} from '../../../../nodes/AcountPay/execution/nodeErrors';
import type { End, EndedItem } from '../../../../nodes/AcountPay/creation/idempotencyStore';
import type { RunSummary } from '../../../../nodes/AcountPay/execution/runSummary';
import { ApiError, ValidationError } from '../../../../nodes/shared/errors';

const node = { name: 'Pay', type: 'acountPay', typeVersion: 1 } as INode;

/** A summary of items, by how they ended. */
const summaryOf = (byEnd: Partial<Record<End, Array<Omit<EndedItem, 'end'>>>>): RunSummary => ({
	items: Object.entries(byEnd).flatMap(([end, items]) =>
		items.map((item) => ({ ...item, end: end as End })),
	),
});
const nothing = summaryOf({});

describe('the error that ends the node', () => {
	const context = {
		getNode: () => node,
		getMode: () => 'trigger',
		getExecutionId: () => '42',
	} as unknown as IExecuteFunctions;

	it('is about the field', () => {
		const error = nodeErrorFor(
			context,
			new ValidationError('Amount', 'must be more', 'Do this.'),
			3,
			nothing,
		);
		expect(error).toBeInstanceOf(NodeOperationError);
		expect(error.message).toBe('Amount must be more [item 3]');
		expect(error.description).toBe('Do this.');
		expect(error.context).toMatchObject({
			itemIndex: 3,
			outcome: 'invalid',
			paymentsMade: [],
			outcomesUnknown: [],
			refused: [],
			notStarted: [],
		});
	});

	it('is about what AcountPay said', () => {
		const error = nodeErrorFor(
			context,
			new ApiError('refused', 'No', 'Check.', { status: 422 }),
			0,
			nothing,
		);
		expect(error).toBeInstanceOf(NodeApiError);
		expect((error as NodeApiError).httpCode).toBe('422');
		expect(error.message).toBe('No [item 0]');
		expect(error.description).toBe('Check.');
	});

	it.each(['ECONNRESET', 'ETIMEDOUT', 'ECONNABORTED', 'ENOENT'])(
		"keeps our words where n8n has advice for %s, and n8n's word for cancelling out",
		(code) => {
			const error = nodeErrorFor(
				context,
				new ApiError('unknown', `canceled ${code}`, 'Look.'),
				1,
				nothing,
			);
			expect(error.message).toBe(`cancelled ${code} [item 1]`);
			expect(error.description).toBe('Look.');
			expect(JSON.stringify(error)).not.toMatch(/immediately|Retry on Fail/);
		},
	);

	it('names the first 50 created payments, and has all of them', () => {
		const created = Array.from({ length: 60 }, (_, itemIndex) => ({
			itemIndex,
			name: `R${itemIndex}`,
			id: itemIndex === 1 ? undefined : `pay_${itemIndex}`,
		}));
		const unknown = [60, 61, 62].map((itemIndex) => ({
			itemIndex,
			name: `R${itemIndex}`,
		}));
		const summary = summaryOf({
			created,
			existing: [{ itemIndex: 66, name: 'R66', id: 'pay_66' }],
			unknown,
			refused: [{ itemIndex: 63, name: 'R63' }],
			notStarted: [{ itemIndex: 64, name: 'R64' }, { itemIndex: 65 }],
		});
		const error = nodeErrorFor(context, new ApiError('unknown', 'No', 'Look.'), 61, summary);
		expect(error.message).toBe('No [item 61]');
		expect(error.description).toMatch(
			/^Look\. May or may not exist \(2\): R60, R62\. Refused \(1\): R63\. Payments created \(60\): R0 = pay_0, R1 = no ID, R2 = pay_2, .*, R49 = pay_49 and 10 more\. Existed already \(1\): R66 = pay_66\. Not started \(2\): R64, item 65\. To continue, use Executions → this execution → Retry: it creates none of these payments again \(unless 'Resend Unknown' is on\)\. Only if AcountPay certainly has none of those that may exist, switch on 'Resend Unknown', save, and choose 'with currently saved workflow' there: all of them are sent again\. Otherwise run the workflow again with only the missing ones\. Use the newest execution, and leave merchants and references as they are\. A new execution may create them again\.$/,
		);
		expect(error.context).toMatchObject({
			paymentsMade: created.map(({ itemIndex, id }) => ({
				itemIndex,
				referenceNumber: `R${itemIndex}`,
				...(id && { paymentId: id }),
			})),
			paymentsExisting: [{ itemIndex: 66, referenceNumber: 'R66', paymentId: 'pay_66' }],
			outcomesUnknown: [60, 61, 62].map((itemIndex) => ({
				itemIndex,
				referenceNumber: `R${itemIndex}`,
			})),
			refused: [{ itemIndex: 63, referenceNumber: 'R63' }],
			notStarted: [{ itemIndex: 64, referenceNumber: 'R64' }, { itemIndex: 65 }],
		});
	});

	it('does not speak of more when there are 50', () => {
		const created = Array.from({ length: 50 }, (_, itemIndex) => ({
			itemIndex,
			name: 'R',
			id: 'p',
		}));
		const error = nodeErrorFor(context, new ValidationError('A', 'b'), 0, summaryOf({ created }));
		expect(error.description).not.toMatch(/more/);
	});
});

describe('the error of a run that makes something else', () => {
	const context = {
		getNode: () => node,
		getMode: () => 'manual',
		getExecutionId: () => '42',
	} as unknown as IExecuteFunctions;
	const byEnd = {
		created: [
			{ itemIndex: 0, name: 'Aarhus', id: '7' },
			{ itemIndex: 1, name: 'Odense' },
		],
		existing: [],
		unknown: [{ itemIndex: 2, name: 'Vejle' }],
		refused: [{ itemIndex: 3, name: 'Ribe' }, { itemIndex: 4 }],
		notStarted: [{ itemIndex: 5 }],
	};
	const summary: RunSummary = { noun: 'store', ...summaryOf(byEnd) };
	const refused = new ApiError('refused', 'No', 'Check.', { status: 422 });

	it('names what it makes, and nothing that is not known', () => {
		expect(nodeErrorFor(context, refused, 3, summary).context).toStrictEqual({
			itemIndex: 3,
			outcome: 'refused',
			storesMade: [
				{ itemIndex: 0, name: 'Aarhus', storeId: '7' },
				{ itemIndex: 1, name: 'Odense' },
			],
			outcomesUnknown: [{ itemIndex: 2, name: 'Vejle' }],
			refused: [{ itemIndex: 3, name: 'Ribe' }, { itemIndex: 4 }],
			notStarted: [{ itemIndex: 5 }],
		});
	});

	it('says what became of the other items, and how to go on', () => {
		expect(nodeErrorFor(context, refused, 3, summary).description).toBe(
			"Check. May or may not exist (1): Vejle. Refused (1): item 4. Stores created (2): Aarhus = 7, Odense = no ID. Not started (1): item 5. To continue, use Executions → this execution → Retry: it creates none of these stores again (unless 'Resend Unknown' is on). Only if AcountPay certainly has none of those that may exist, switch on 'Resend Unknown', save, and choose 'with currently saved workflow' there: all of them are sent again. Otherwise run the workflow again with only the missing ones. Use the newest execution, and leave names as they are. 'Execute step' and 'Execute workflow' may create them again.",
		);
		const { description } = nodeErrorFor(context, refused, 5, {
			noun: 'store',
			...summaryOf({ ...byEnd, unknown: [] }),
		});
		expect(description).toBe(
			"Check. Refused (2): Ribe, item 4. Stores created (2): Aarhus = 7, Odense = no ID. To continue, use Executions → this execution → Retry: it creates none of these stores again. Use the newest execution, and leave names as they are. 'Execute step' and 'Execute workflow' may create them again.",
		);
	});

	it('names what it has made for the item that it is about, too', () => {
		const error = nodeErrorFor(context, new ApiError('created', 'No', 'Look.'), 0, summary);
		expect(error.description).toContain('Stores created (2): Aarhus = 7, Odense = no ID.');
	});

	it('speaks of no retry where nothing was made and nothing is open', () => {
		const { description } = nodeErrorFor(context, refused, 3, {
			noun: 'store',
			...summaryOf({ ...byEnd, created: [], unknown: [] }),
		});
		expect(description).toBe('Check. Refused (1): item 4. Not started (1): item 5.');
	});

	it('speaks of a retry where something is open, though nothing was made', () => {
		const { description } = nodeErrorFor(context, refused, 3, summaryOf({ ...byEnd, created: [] }));
		expect(description).toContain('→ Retry');
	});

	it("advises no 'Resend Unknown' that would not send the item, and no retry where another one is right", () => {
		const doubt = (rulesOut: 'resend' | 'retry') =>
			new ApiError('unknown', 'It may exist', 'Look.', { rulesOut });
		const noResend = nodeErrorFor(context, doubt('resend'), 2, summary).description;
		expect(noResend).toContain('→ Retry: it creates none of these stores again. Use the newest');
		expect(noResend).not.toContain('Resend Unknown');
		expect(nodeErrorFor(context, doubt('retry'), 2, summary).description).toBe(
			'Look. Refused (2): Ribe, item 4. Stores created (2): Aarhus = 7, Odense = no ID. Not started (1): item 5.',
		);
	});

	it('of a batch that was stopped, in sentences', () => {
		expect(cancelledError(context, summary, false).description).toBe(
			'May or may not exist (1): Vejle. Refused (2): Ribe, item 4. Stores created (2): Aarhus = 7, Odense = no ID. Not started (1): item 5.',
		);
	});
});

describe('the item of a node that continues', () => {
	const runBy = (changes: Partial<INode> = {}) =>
		({
			getNode: () => ({ ...node, ...changes }),
			getMode: () => 'trigger',
		}) as unknown as IExecuteFunctions;

	it.each([
		['unknown', 'No. Do not create it again [item 0]'],
		['created', 'No. Do not create it again [item 0]'],
		['refused', 'No [item 0]'],
	] as const)('tells a language model what not to do, with the outcome %s', (outcome, words) => {
		const problem = new ApiError(outcome, 'No', 'Check.');
		expect(errorItem(runBy({ type: 'acountPayTool' }), problem, 0).json.error).toBe(words);
	});

	it('has an error beside its JSON only for the error output, and there nothing stores it', () => {
		const problem = new ValidationError('A', 'must');
		expect(
			errorItem(runBy({ onError: 'continueRegularOutput' }), problem, 0).error,
		).toBeUndefined();
		const item = errorItem(runBy({ onError: 'continueErrorOutput' }), problem, 0);
		expect(item.error).toBe(problem);
		expect({ ...item }.error).toBeUndefined();
	});

	it('has what went wrong and what to do', () => {
		expect(errorItem(runBy(), new ApiError('refused', 'No', 'Check.', { status: 400 }), 2)).toEqual(
			{
				json: {
					error: 'No [item 2]',
					details: { outcome: 'refused', status: 400, description: 'Check.' },
				},
				pairedItem: { item: 2 },
			},
		);
		expect(errorItem(runBy(), new ValidationError('A', 'must'), 0).json).toEqual({
			error: 'A must [item 0]',
			details: { outcome: 'invalid', description: expect.stringMatching(/^Correct the field/) },
		});
	});

	it('has the payment that was made all the same', () => {
		const problem = new ApiError('created', 'No image', 'Look.', {
			status: 500,
			payment: { id: 1 },
		});
		expect(errorItem(runBy(), problem, 0).json.details).toMatchObject({
			outcome: 'made',
			payment: { id: 1 },
		});
	});
});

describe('a batch that is stopped', () => {
	const lines: string[] = [];
	const context = {
		getNode: () => node,
		getExecutionId: () => '42',
		logger: { warn: (line: string) => lines.push(line) },
	} as unknown as IExecuteFunctions;
	beforeEach(() => {
		lines.length = 0;
	});

	it('says nothing twice', () => {
		const payment = { itemIndex: 0, name: 'R0' };
		cancelledError(context, summaryOf({ created: [payment], unknown: [payment] }), false);
		expect(lines).toEqual([]);
	});

	it('writes all payments and open outcomes to the log, fifty a line', () => {
		const created = Array.from({ length: 51 }, (_, itemIndex) => ({
			itemIndex,
			name: `R${itemIndex}`,
			id: `pay_${itemIndex}`,
		}));
		const unknown = [{ itemIndex: 51, name: 'R51' }];
		const notStarted = [{ itemIndex: 52, name: 'R52' }];
		const error = cancelledError(context, summaryOf({ created, unknown, notStarted }), true);
		expect(error).toBeInstanceOf(NodeOperationError);
		expect(error.message).toBe('The execution was stopped');
		expect(lines).toHaveLength(4);
		expect(lines[0]).toMatch(/May or may not exist \(1\): R51$/);
		expect(lines[1]).toMatch(
			/^AcountPay node 'Pay', execution 42, was stopped\. Payments created \(51\): R0 = pay_0, R1 = pay_1, .*, R49 = pay_49$/,
		);
		expect(lines[2]).toMatch(/Payments created \(51\): R50 = pay_50$/);
		expect(lines[3]).toMatch(/Not started \(1\): R52$/);
		expect(error.description).toMatch(/Payments created \(51\)/);
	});
});
