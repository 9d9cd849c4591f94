import type { IDataObject, INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import { operationFor } from '../../../nodes/AcountPay/actions';
import { merchant } from '../../../nodes/AcountPay/actions/merchant';
import type { ItemWork, Operation } from '../../../nodes/AcountPay/actions/operation';
import type { ApiRequest } from '../../../nodes/shared/api/request';
import { payment } from '../../../nodes/AcountPay/actions/payment';
import { store } from '../../../nodes/AcountPay/actions/store';
import { AUTHENTICATIONS, SHOWN_WITH } from '../../../nodes/shared/auth';
import { callOptions, parameters, recordFor, refusal, response, scripted } from './support';

/** What AcountPay answers to every create here: it names all that can be made. */
const CREATED = response(201, { paymentId: 7, merchantId: 7, merchantNumber: 7, id: 7 });

const RESOURCES = { merchant, payment, store };

/** Every operation that makes something, with each way to authenticate: those to come too. */
const creates = Object.entries(RESOURCES).flatMap(([resource, { operations }]) =>
	operations.flatMap((entry) =>
		AUTHENTICATIONS.flatMap((authentication) => {
			const operation = entry[authentication];
			if (!operation?.createdIdOf) return [];
			return [{ name: `${resource}: ${operation.option.value}, ${authentication}`, operation }];
		}),
	),
);

/** A value that is right for a field, and not its default. */
function valueFor({ name, type, options, default: usual }: INodeProperties): unknown {
	if (name === 'amount') return 149.99;
	if (name === 'currency') return 'EUR';
	if (name === 'merchantNumber') return '42';
	if (name === 'customFields') return { extra: 'of customFields' };
	if (type === 'json') return { of: name };
	if (type === 'boolean') return !usual;
	if (type === 'options') {
		return (options as INodePropertyOptions[]).find(({ value }) => value !== usual)!.value;
	}
	if (name.endsWith('Url')) return 'https://shop.example/hook';
	return `the ${name}`;
}

const additionalOf = ({ fields }: Operation<unknown>) =>
	(fields.find(({ name }) => name === 'additionalFields')?.options ?? []) as INodeProperties[];

const valuesFor = (fields: INodeProperties[]) =>
	Object.fromEntries(fields.map((field) => [field.name, valueFor(field)])) as IDataObject;

function checkedWith(operation: Operation<unknown>, additionalFields: IDataObject) {
	const { client, sent } = scripted([CREATED]);
	const required = operation.fields.filter(({ name }) => name !== 'additionalFields');
	const values = { ...valuesFor(required), additionalFields };
	return { client, sent, input: operation.check(parameters(values), client) };
}

/** What a request tells AcountPay beside its path: the body, the merchant, and the headers of its own. */
async function told(operation: Operation<unknown>, additionalFields: IDataObject) {
	const { client, sent, input } = checkedWith(operation, additionalFields);
	const work = {
		client,
		options: callOptions,
		record: (request: ApiRequest) => recordFor(request),
	} as unknown as ItemWork;
	await operation.run(input, work);
	expect(sent).toHaveLength(1);
	const [{ path, body, headers, merchantId }] = sent;
	return { path, fields: { ...body, merchantId }, headers };
}

describe.each(creates)('$name', ({ operation }) => {
	const additional = additionalOf(operation);

	test('sends every field that a person can fill in', async () => {
		const { path, fields, headers } = await told(operation, valuesFor(additional));
		for (const field of [...operation.fields, ...additional]) {
			const { name } = field;
			const value = valueFor(field);
			if (name === 'additionalFields') continue;
			if (name === 'customFields') expect(fields).toMatchObject(value as object);
			else if (name === 'mockPayment') expect(headers).toEqual({ 'X-Mock-Payment': value });
			else if (name === 'merchantNumber') expect(path).toContain(`/${String(value)}/`);
			else expect(fields).toHaveProperty(name, value);
		}
	});

	test('sends no field that a person did not add', async () => {
		const { fields, headers } = await told(operation, {});
		const required = operation.fields.map(({ name }) => name);
		expect(
			Object.keys(fields).filter((name) => !['merchantId', ...required].includes(name)),
		).toEqual([]);
		expect(headers).toBeUndefined();
	});
});

/** Fields whose name in the body is another one, or that are not in it. */
const NOT_IN_BODY = [
	'additionalFields',
	'customFields',
	'mockPayment',
	'merchantId',
	'merchantNumber',
];

const replaceable = creates.flatMap(({ name, operation }) =>
	additionalOf(operation).length === 0
		? []
		: [...operation.fields, ...additionalOf(operation)]
				.filter((field) => !NOT_IN_BODY.includes(field.name))
				.map((field) => ({ name, field: field.name, operation })),
);

test.each(replaceable)('$name: a custom field does not replace $field', ({ field, operation }) => {
	const customFields = { [field]: 'another' };
	expect(refusal(() => checkedWith(operation, { customFields }))).toBe(
		`Custom Fields must not contain ${field}: there are fields of their own for that`,
	);
});

test('there are six creates: one list of this file would not be noticed to be empty', () => {
	expect(creates.map(({ name }) => name)).toEqual([
		'merchant: create, apiKey',
		'merchant: createFastTrack, apiKey',
		'merchant: createTest, apiKey',
		'payment: create, oAuth2',
		'payment: create, apiKey',
		'store: create, apiKey',
	]);
});

test('each operation is found by its authentication, resource and name', () => {
	for (const [resource, { operations }] of Object.entries(RESOURCES)) {
		for (const entry of operations) {
			for (const authentication of AUTHENTICATIONS) {
				const operation = entry[authentication];
				if (!operation) continue;
				expect(operationFor(authentication, resource, operation.option.value)).toBe(operation);
			}
		}
	}
	expect(operationFor('oAuth2', 'payment', 'getAll')).toBeUndefined();
	expect(operationFor('oAuth2', 'constructor', 'create')).toBeUndefined();
});

test('the fields of the default are shown in workflows that have no authentication, the others only where it is chosen', () => {
	expect(SHOWN_WITH).toEqual({
		oAuth2: { hide: { authentication: ['apiKey'] } },
		apiKey: { show: { authentication: ['apiKey'] } },
	});
});
