import type { IConnections, IDataObject, INode, NodeParameterValueType } from 'n8n-workflow';

import type { WorkflowJson } from '../n8n/workflow';

/** The two ways to authenticate, for each of which an example has a file of its own. */
export type Way = 'accessTokens' | 'apiKeys';

/** The source of an example, from which its file for each way to authenticate is made. */
export interface ExampleSource {
	/** The name of its file with access tokens, without `.json`; with API keys, `-keys` is added where there are both. */
	file: string;
	/** The name of the workflow in n8n, after `AcountPay: `. */
	title: string;
	/** The ways that it is made for; both, unless it uses what only one of them has. */
	ways?: Way[];
	/** Its nodes, and how they are connected: `'Start > Sale > Create Payment'`, or `'If[1] > No'` from the second output. */
	draw(way: Way): { nodes: INode[]; connections: string[] };
}

type Parameters = INode['parameters'];
type Position = [x: number, y: number];

/** What of a node is its own: everything but its name and place. */
export type NodeKind = Pick<INode, 'type' | 'typeVersion' | 'parameters'> & Partial<INode>;

/** Puts a node on the canvas. */
export const node = (
	name: string,
	position: Position,
	kind: NodeKind,
	more: Partial<INode> = {},
): INode => {
	const { type, typeVersion, parameters, ...rest } = kind;
	return {
		id: name
			.toLowerCase()
			.replace(/[^a-z]+/g, '-')
			.replace(/^-|-$/g, ''),
		...{ name, type, typeVersion, position },
		...rest,
		...more,
		parameters,
	};
};

/** A note on the canvas. @param place left, top, width and height */
export const note = (
	name: string,
	[left, top, width, height]: [number, number, number, number],
	color: number,
	content: string,
): INode =>
	node(`Note: ${name}`, [left, top], {
		type: 'n8n-nodes-base.stickyNote',
		typeVersion: 1,
		parameters: { content, width, height, color },
	});

/** A node of n8n's own. */
export const n8n = (type: string, typeVersion: number, parameters: Parameters = {}): NodeKind => ({
	type: type.startsWith('@') ? type : `n8n-nodes-base.${type}`,
	typeVersion,
	parameters,
});

const authentication = (way: Way): Parameters =>
	way === 'apiKeys' ? { authentication: 'apiKey' } : {};

/** The AcountPay node. @param operation such as `payment.create` */
export const acountPay = (way: Way, operation: string, parameters: Parameters): NodeKind => {
	const [resource, name] = operation.split('.');
	return {
		type: 'n8n-nodes-acountpay.acountPay',
		typeVersion: 1,
		parameters: { ...authentication(way), resource, operation: name, ...parameters },
	};
};

/** The AcountPay node as a tool of an agent. */
export const acountPayTool = (way: Way, operation: string, parameters: Parameters): NodeKind => ({
	...acountPay(way, operation, parameters),
	type: 'n8n-nodes-acountpay.acountPayTool',
});

/** AcountPay Trigger. */
export const acountPayTrigger = (way: Way, events: string[]): NodeKind => ({
	type: 'n8n-nodes-acountpay.acountPayTrigger',
	typeVersion: 1,
	parameters: { ...authentication(way), events, options: {} },
});

/** The field Merchant ID: a text with access tokens, a picker with API keys. @param value an ID or an expression */
export const merchantId = (way: Way, value: string): NodeParameterValueType =>
	way === 'apiKeys' ? { __rl: true, mode: 'id', value } : value;

/** The field Merchant ID of a node that reads a payment, which with API keys has none. */
export const merchantIdToRead = (way: Way, value: string): Parameters =>
	way === 'apiKeys' ? {} : { merchantId: value };

/** The payment ID in the output of Create: documented names of both APIs. @param json such as `$json` */
export const paymentIdIn = (json: string) => `${json}.paymentId ?? ${json}.id`;

/** A data table. */
export interface Table {
	name: string;
	columns: Record<string, 'string' | 'number'>;
}

/**
 * Hands on the rows of **AcountPay orders** for which this holds, each with its `problem`: '' where it is the only row with its reference in its
 * environment. `sharesPayment` says whether another row names its payment. Needs the nodes *Settings* and, before it, all rows.
 * @param isWanted code about `row`, in which `isHere(row)` says whether it is of the environment of Settings
 */
export const ordersWhere = (isWanted: string): NodeKind =>
	n8n('code', 2, {
		jsCode: `// One order has one row: several with one reference are left to you.
const { environment } = $('Settings').first().json;
const environmentOf = (row) => row.environment || environment;
const isHere = (row) => environmentOf(row) === environment;
// Written in another Unicode form, or with letters that nobody sees, it is the same reference.
const plain = (reference) => String(reference ?? '').replace(/\\p{Default_Ignorable_Code_Point}/gu, '').normalize('NFC').trim();
const referenceOf = (row) => environmentOf(row) + ' reference ' + plain(row.reference);
const paymentOf = (row) => environmentOf(row) + ' payment ' + row.paymentId;
const counts = new Map();
for (const { json } of $input.all()) {
	for (const mark of [referenceOf(json), paymentOf(json)]) counts.set(mark, (counts.get(mark) ?? 0) + 1);
}
const isWanted = (row) => ${isWanted};
return $input.all().flatMap(({ json: row }, index) => {
	if (!isWanted(row)) return [];
	const count = counts.get(referenceOf(row));
	const sharesPayment = Boolean(row.paymentId) && counts.get(paymentOf(row)) > 1;
	const problem = count > 1 ? count + ' rows of the table have this reference. When no execution is at work on it any more, look for it in AcountPay, and keep the row whose payment counts, or one row if there is no payment' : '';
	return [{ json: { ...row, problem, sharesPayment }, pairedItem: index }];
});`,
	});

/** A column, a condition, and what it is compared with. */
type Where = [column: string, condition: string, value?: string | number];

const tableNamed = ({ name }: Table) => ({ __rl: true, mode: 'name', value: name });

const whereIs = (where: Where[]) => ({
	conditions: where.map(([keyName, condition, keyValue]) => ({
		...{ keyName, condition },
		...(keyValue !== undefined && { keyValue }),
	})),
});

const columnsOf = ({ columns }: Table, value: IDataObject) => ({
	mappingMode: 'defineBelow',
	value,
	matchingColumns: [],
	schema: Object.entries(columns).map(([id, type]) => ({
		...{ id, displayName: id, required: false, defaultMatch: false, display: true, type },
		...{ readOnly: false, removed: !(id in value) },
	})),
	attemptToConvertTypes: false,
	convertFieldsToString: false,
});

/** Creates the table, if it isn't there. */
export const createTable = ({ name, columns }: Table): NodeKind =>
	n8n('dataTable', 1, {
		resource: 'table',
		operation: 'create',
		tableName: name,
		columns: { column: Object.entries(columns).map(([name, type]) => ({ name, type })) },
		options: { createIfNotExists: true },
	});

/** Reads all rows that fit. */
export const getRows = (table: Table, where: Where[], matchType = 'allConditions'): NodeKind =>
	n8n('dataTable', 1, {
		resource: 'row',
		operation: 'get',
		dataTableId: tableNamed(table),
		matchType,
		filters: whereIs(where),
		returnAll: true,
	});

const change = (operation: string, table: Table, where: Where[], value: IDataObject): NodeKind =>
	n8n('dataTable', 1, {
		resource: 'row',
		operation,
		dataTableId: tableNamed(table),
		matchType: 'allConditions',
		filters: whereIs(where),
		columns: columnsOf(table, value) as unknown as NodeParameterValueType,
		options: {},
	});

/** Updates the rows that fit, and outputs them. */
export const updateRows = (table: Table, where: Where[], value: IDataObject): NodeKind =>
	change('update', table, where, value);

/** Updates the rows that fit, or adds one. */
export const upsertRow = (table: Table, where: Where[], value: IDataObject): NodeKind =>
	change('upsert', table, where, value);

/** Edit Fields. @param fields by their names; a number, a boolean and a list stay what they are */
export const editFields = (
	fields: Record<string, string | number | boolean | Typed>,
	more: Parameters = {},
): NodeKind =>
	n8n('set', 3.4, {
		assignments: {
			assignments: Object.entries(fields).map(([name, field], index) => {
				const { value, type } = typeof field === 'object' ? field : typed(field);
				return { id: `field-${index + 1}`, name, value, type };
			}),
		},
		...more,
		options: {},
	});

/** A value of Edit Fields whose type its expression doesn't tell. */
interface Typed {
	value: string | number | boolean;
	type: string;
}

const typed = (value: string | number | boolean): Typed => ({ value, type: typeof value });

/** An expression that gives a number. */
export const numberOf = (value: string): Typed => ({ value, type: 'number' });

/** An expression that gives true or false. */
export const booleanOf = (value: string): Typed => ({ value, type: 'boolean' });

/** An expression that gives a list. */
export const listOf = (value: string): Typed => ({ value, type: 'array' });

/** What is compared, how (`string equals`), and with what. */
type Condition = [left: string, operator: string, right?: string | number];

const UNARY = ['true', 'false', 'exists', 'notEmpty', 'empty'];

const conditionsOf = (conditions: Condition[], combinator = 'and') => ({
	options: { caseSensitive: true, leftValue: '', typeValidation: 'strict', version: 2 },
	conditions: conditions.map(([leftValue, operator, rightValue = ''], index) => {
		const [type, operation] = operator.split(' ');
		return {
			id: `condition-${index + 1}`,
			leftValue,
			operator: { type, operation, ...(UNARY.includes(operation) && { singleValue: true }) },
			rightValue,
		};
	}),
	combinator,
});

/** If: its first output is true, its second is false. */
export const ifAll = (...conditions: Condition[]): NodeKind =>
	n8n('if', 2.2, { conditions: conditionsOf(conditions), options: {} });

/** The note of a row while its mail is sent. If it stays, the execution was ended, and the mail may not have left. */
export const MAILING = '=Execution {{ $execution.id }} is mailing the link';

/**
 * If, behind Send Email with *On Error: Continue*: its first output has the mails that were sent, its second all others. A node that fails as a
 * whole, such as one without a credential, hands on its input instead of errors, also where it has an output for these.
 */
export const ifSent = (): NodeKind => ifAll(["={{ $json.messageId ?? '' }}", 'string notEmpty']);

/** Why a mail wasn't sent, behind {@link ifSent}: an expression. @param node that should have sent it */
export const notSent = (node: string) =>
	`=The mail was not sent: {{ $json.error ?? "the node '${node}' of this execution shows why" }}`;

/** Filter: hands on the items for which all conditions hold. */
export const filter = (...conditions: Condition[]): NodeKind =>
	n8n('filter', 2.2, { conditions: conditionsOf(conditions), options: {} });

/** Switch: an output for each rule, by its name, and one for everything else where that has a name. */
export const switchTo = (rules: Record<string, Condition[]>, otherwise?: string): NodeKind =>
	n8n('switch', 3.2, {
		rules: {
			values: Object.entries(rules).map(([outputKey, conditions]) => ({
				conditions: conditionsOf(conditions),
				renameOutput: true,
				outputKey,
			})),
		},
		options: otherwise ? { fallbackOutput: 'extra', renameFallbackOutput: otherwise } : {},
	});

/** Ends the execution with this message. */
export const stopAndError = (errorMessage: string): NodeKind =>
	n8n('stopAndError', 1, { errorMessage });

/** Where users put steps of their own. */
export const noOp = (): NodeKind => n8n('noOp', 1);

/** Starts when the user clicks on 'Execute workflow'. */
export const manualTrigger = (): NodeKind => n8n('manualTrigger', 1);

/** Whether two amounts are the same money: 3 × 49.95 is 149.85000000000002, and Create asks for 149.85. An expression's part. */
export const isSameAmount = (one: string, other: string) =>
	`Math.round((${one}) * 100) === Math.round((${other}) * 100)`;

/** A text from a person, safe inside HTML: an expression's part. @param value such as `$json.customer` */
export const escaped = (value: string) =>
	`String(${value} ?? '').replace(/[&<>"']/g, (letter) => '&#' + letter.charCodeAt(0) + ';')`;

/** @throws Error when a connection names a node that isn't there */
function connected(nodes: INode[], chains: string[]): IConnections {
	const connections: IConnections = {};
	const known = new Set(nodes.map(({ name }) => name));
	for (const chain of chains) {
		const steps = chain.split(' > ').map((step) => {
			const [, name, output = '0', type = 'main', input = '0'] =
				/^(.*?)(?:\[(\d+)\])?(?:\{(\w+)\})?(?:@(\d+))?$/.exec(step)!;
			if (!known.has(name)) throw new Error(`'${chain}' names no node '${name}'`);
			return { name, output: Number(output), type, input: Number(input) };
		});
		steps.slice(1).forEach(({ name, input }, index) => {
			const { name: from, output, type } = steps[index];
			const outputs = ((connections[from] ??= {})[type] ??= []);
			while (outputs.length <= output) outputs.push([]);
			outputs[output]!.push({ node: name, type: type as 'main', index: input });
		});
	}
	return connections;
}

const WAYS: Way[] = ['accessTokens', 'apiKeys'];

/** The ways that an example is made for. */
export const waysOf = ({ ways = WAYS }: ExampleSource): Way[] => ways;

/** The way's own part of a name, where there are two. */
const partOf = (source: ExampleSource, way: Way, part: string) =>
	waysOf(source).length > 1 && way === 'apiKeys' ? part : '';

/** The name of an example's file, without `.json`. */
export const fileOf = (source: ExampleSource, way: Way) =>
	source.file + partOf(source, way, '-keys');

/** The workflow that people import. */
export function workflowOf(source: ExampleSource, way: Way): WorkflowJson {
	const { nodes, connections } = source.draw(way);
	return {
		name: `AcountPay: ${source.title}${partOf(source, way, ' (API keys)')}`,
		nodes,
		connections: connected(nodes, connections),
		settings: { executionOrder: 'v1' },
	};
}
