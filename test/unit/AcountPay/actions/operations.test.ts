import type { IDataObject, INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import { missingOperation, operationFor, properties } from '../../../../nodes/AcountPay/actions';
import { merchant } from '../../../../nodes/AcountPay/actions/merchant';
import type { Image, ItemWork, Operation } from '../../../../nodes/AcountPay/operation/operation';
import type { Label } from '../../../../nodes/AcountPay/creation/identityHashes';
import type { ApiRequest } from '../../../../nodes/shared/api/request';
import { payment } from '../../../../nodes/AcountPay/actions/payment';
import { store } from '../../../../nodes/AcountPay/actions/store';
import { AUTHENTICATIONS } from '../../../../nodes/shared/auth';
import type { ApiResponse } from '../../../../nodes/shared/http/response';
import {
	built,
	callOptions,
	end,
	errorOf,
	execution,
	parameters,
	recordFor,
	refusal,
	response,
	type Script,
	scripted,
	useFakeTime,
} from '../../support';

useFakeTime();

/** What AcountPay answers to every create here: it names all that can be made. */
const CREATED = response(201, { paymentId: 7, merchantId: 7, merchantNumber: 7, id: 7 });

const RESOURCES = { merchant, payment, store };

/** Every operation that makes something, with each way to authenticate: those to come too. */
const creates = Object.entries(RESOURCES).flatMap(([resource, { operations }]) =>
	operations.flatMap((entry) =>
		AUTHENTICATIONS.flatMap((authentication) => {
			const operation = entry[authentication];
			if (!operation?.creates) return [];
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
	const [{ path, body, headers, merchantClientId: merchantId }] = sent;
	return { path, fields: { ...body, merchantId }, headers };
}

describe.each(creates)('$name', ({ operation }) => {
	const additional = additionalOf(operation);

	it('sends every field that a person can fill in', async () => {
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

	it('sends no field that a person did not add', async () => {
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

it.each(replaceable)('$name: a custom field does not replace $field', ({ field, operation }) => {
	const customFields = { [field]: 'another' };
	expect(refusal(() => checkedWith(operation, { customFields }))).toBe(
		`Custom Fields must not contain ${field}: use the node's own fields for these`,
	);
});

it('a custom field may have a name that only another operation has a field for', () => {
	const { operation } = creates.find(({ name }) => name === 'merchant: create, apiKey')!;
	const customFields = { registrationNumber: '1', website: 'w', iban: 'i', bic: 'b' };
	expect(checkedWith(operation, { customFields }).input).toMatchObject(customFields);
});

it('there are six creates: one list of this file would not be noticed to be empty', () => {
	expect(creates.map(({ name }) => name)).toEqual([
		'merchant: create, apiKey',
		'merchant: createFastTrack, apiKey',
		'merchant: createTest, apiKey',
		'payment: create, oAuth2',
		'payment: create, apiKey',
		'store: create, apiKey',
	]);
});

/** The operation that is shown with keys, and what it is called and answers. */
const withKeys = (resource: string, name: string) => operationFor('apiKey', resource, name)!;

describe('what was made, with keys', () => {
	const ways: Array<{
		resource: string;
		name: string;
		subject: string;
		title: string;
		reference: string;
		nothing: string;
		whenUnknown: string;
		output: IDataObject;
		id: string;
	}> = [
		...['create', 'createFastTrack', 'createTest'].map((name) => ({
			resource: 'merchant',
			name,
			subject: "the merchant 'the companyName'",
			title: "Merchant 'the companyName'",
			reference: 'the companyName',
			nothing: 'This merchant was not created.',
			whenUnknown: 'Look for this company in AcountPay before you create it again.',
			output: { merchantId: 42, id: 42, clientId: 'c' },
			id: '42',
		})),
		{
			resource: 'store',
			name: 'create',
			subject: "the store 'the name' of merchant '42'",
			title: "Store 'the name' of merchant '42'",
			reference: 'the name',
			nothing: 'This store was not created.',
			whenUnknown: "Look for it among the merchant's stores before you create it again.",
			output: { storeId: 42, id: 42, clientId: 'c' },
			id: '42',
		},
		{
			resource: 'payment',
			name: 'create',
			subject: "the payment with reference 'the referenceNumber'",
			title: "Payment 'the referenceNumber'",
			reference: 'the referenceNumber',
			nothing: 'This payment was not created.',
			whenUnknown:
				'Look for this reference in AcountPay before you create it again, or the customer may be charged twice.',
			output: { id: 42, clientId: 'c' },
			id: '42',
		},
	];

	const runOn = async (operation: Operation<unknown>, answer: ApiResponse) => {
		const { client, sent } = scripted([answer]);
		const required = operation.fields.filter(({ name }) => name !== 'additionalFields');
		const input = operation.check(parameters(valuesFor(required)), client);
		const work = {
			client,
			options: callOptions,
			record: (request: ApiRequest) => recordFor(request),
		} as unknown as ItemWork;
		return { ...(await end(operation.run(input, work))), input, sent };
	};

	it.each(ways)('$resource: $name', async (way) => {
		const operation = withKeys(way.resource, way.name);
		const made = await runOn(operation, response(201, { id: 42, clientId: 'c' }));
		expect(made.value).toEqual([{ json: way.output }]);
		expect(operation.creates!.idOf(way.output)).toBe(way.id);
		expect(operation.creates!.nameOf(made.input)).toBe(way.reference);
		expect(operation.creates!.noun).toBe(way.resource);
		expect(made.sent).toMatchObject([{ method: 'POST', repeatable: false }]);
	});

	it.each(ways)('$resource: $name is refused', async (way) => {
		const refused = await runOn(withKeys(way.resource, way.name), response(422, { message: 'No' }));
		const { message, description } = errorOf(refused);
		expect(`${message} ${description}`).toContain(way.subject);
		expect(`${message} ${description}`).toContain(way.nothing);
	});

	it("a store's merchant that AcountPay does not know is named, and where its number is", async () => {
		const { error } = await runOn(withKeys('store', 'create'), response(404));
		expect(error).toMatchObject({
			outcome: 'refused',
			message:
				"AcountPay does not know the merchant for the store 'the name' of merchant '42' (status 404)",
			description:
				'Check Merchant Number. Sandbox and production have separate merchants. This store was not created.',
		});
	});

	it.each(ways)('$resource: $name has no usable answer', async (way) => {
		const unknown = errorOf(await runOn(withKeys(way.resource, way.name), response(500, {})));
		expect(unknown.message).toMatch(`${way.title} may or may not exist: AcountPay `);
		expect(unknown.description).toContain(way.whenUnknown);
	});

	it.each(ways)('$resource: $name: an answer that names nothing is no answer', async (way) => {
		const odd = await runOn(withKeys(way.resource, way.name), response(201, { note: 'ok' }));
		expect(errorOf(odd).outcome).toBe('unknown');
	});
});

describe('with keys', () => {
	const keyPayment = withKeys('payment', 'create');
	const required = { merchantId: ' shop ', amount: 149.99, referenceNumber: 'ORDER-1' };

	it('the QR code is drawn of the link, where it is wanted', async () => {
		const { client } = scripted([
			response(201, { paymentId: 8, paymentUrl: 'https://pay.acountpay.com/p/7' }),
		]);
		const stored: Image[] = [];
		const work = {
			client,
			options: callOptions,
			record: (request: ApiRequest) => recordFor(request),
			storeImage: async (image: Image) => {
				stored.push(image);
				return 'stored';
			},
		} as unknown as ItemWork;
		const run = async (options: IDataObject) =>
			await keyPayment.run(keyPayment.check(parameters({ ...required, options }), client), work);
		expect((await run({}))[0]).not.toHaveProperty('binary');
		expect((await run({ qrCode: false }))[0]).not.toHaveProperty('binary');
		expect(await run({ qrCode: true })).toMatchObject([{ binary: { data: 'stored' } }]);
		expect(stored).toMatchObject([{ mimeType: 'image/png' }]);
	});

	it.each<[IDataObject, RegExp]>([
		[{ amount: 0 }, /^Amount must be/],
		[{ referenceNumber: '' }, /^Reference Number must not be empty/],
		[{ merchantId: '' }, /^Merchant ID must not be empty/],
		[{ additionalFields: { currency: 'dkk' } }, /^Currency must be/],
		[{ additionalFields: { storeId: {} } }, /^Store ID must be text/],
	])('a payment with %j is refused', (values, words) => {
		const { client } = scripted([]);
		expect(refusal(() => keyPayment.check(parameters({ ...required, ...values }), client))).toMatch(
			words,
		);
	});

	it.each<[IDataObject, string]>([
		[{ additionalFields: { isDefault: 'yes' } }, 'Is Default must be true or false, but is "yes"'],
		[{ name: ' ' }, 'Name must not be empty'],
		[{ merchantNumber: '' }, 'Merchant Number must not be empty'],
	])('a store with %j is refused', (values, words) => {
		const store = { merchantNumber: '42', name: ' Aarhus ', ...values };
		const check = (given: IDataObject) =>
			withKeys('store', 'create').check(parameters(given), {} as never);
		expect(refusal(() => check(store))).toBe(words);
		expect(check({ merchantNumber: ' 42 ', name: ' Aarhus ' })).toEqual({
			merchantNumber: '42',
			store: { name: 'Aarhus' },
		});
	});

	it('a test merchant is made outside of production only', () => {
		const check = (isProduction: boolean) =>
			withKeys('merchant', 'createTest').check(parameters({ companyName: ' Test ApS ' }), {
				isProduction,
			} as never);
		expect(check(false)).toEqual({ companyName: 'Test ApS' });
		expect(refusal(() => check(true))).toBe(
			"Create Test Merchant can't be used with a credential for production, which has no test merchants",
		);
		for (const name of ['create', 'createFastTrack']) {
			const merchant = withKeys('merchant', name);
			const fields = merchant.fields.filter((field) => field.name !== 'additionalFields');
			const values = parameters(valuesFor(fields));
			expect(refusal(() => merchant.check(values, { isProduction: true } as never))).toBe(
				'not refused',
			);
		}
	});
});

it('a merchant is no longer the same with another bank account', async () => {
	const { store: known } = execution();
	const body = {
		companyName: 'Fast ApS',
		registrationNumber: '12345678',
		iban: 'DK1',
		website: 'w',
	};
	const run = async (changes: object, script: Script) => {
		const { client, sent } = scripted(script);
		const record = (one: ApiRequest, label: Label) =>
			known.record(0, { json: {} }, built(one), label);
		const work = { client, options: callOptions, record } as unknown as ItemWork;
		const ended = await end(
			withKeys('merchant', 'createFastTrack').run({ ...body, ...changes }, work),
		);
		return { ...ended, sent };
	};
	const created = [response(201, { merchantId: 42, clientId: 'c' })];
	expect((await run({}, created)).value).toMatchObject([{ json: { merchantId: 42 } }]);
	expect((await run({ website: 'x' }, [])).value).toMatchObject([{ json: { merchantId: 42 } }]);
	const ended = await run({ iban: 'DK2' }, []);
	expect(ended.error).toMatchObject({
		outcome: 'refused',
		message:
			"Merchant 'Fast ApS' exists already: an earlier attempt of this execution created it for registration number 12345678, IBAN DK1",
	});
	expect(ended.sent).toEqual([]);
});

describe('within an item', () => {
	/** Creates with keys, one after the other, for the same item of one execution. Each response names another ID. */
	function creating() {
		const { store: known } = execution();
		let id = 0;
		return async (resource: string, operation: string, input: object) => {
			const { client, sent } = scripted([response(201, { id: ++id })]);
			const record = (request: ApiRequest, label: Label) =>
				known.record(0, { json: { id } }, built(request), label);
			const work = { client, options: callOptions, record } as unknown as ItemWork;
			const { value } = await end(withKeys(resource, operation).run(input, work));
			return { id: value?.[0].json.id, requests: sent.length };
		};
	}

	it('a store is the same as an earlier one only with the same name, for the same merchant', async () => {
		const create = creating();
		const aarhus = { name: 'Aarhus' };
		const stores = [
			{ merchantNumber: '42', store: aarhus },
			{ merchantNumber: '43', store: aarhus },
			{ merchantNumber: '42', store: { name: 'Odense' } },
		];
		for (const [index, store] of stores.entries()) {
			expect(await create('store', 'create', store)).toEqual({ id: index + 1, requests: 1 });
		}
		const edited = { merchantNumber: '42', store: { ...aarhus, city: 'Aarhus C' } };
		expect(await create('store', 'create', edited)).toEqual({ id: 1, requests: 0 });
	});

	it('a merchant is the same as an earlier one only with the same name, created in the same way', async () => {
		const create = creating();
		const ways: Array<[string, object]> = [
			['create', { companyName: 'Fast ApS' }],
			['create', { companyName: 'Slow ApS' }],
			['createTest', { companyName: 'Fast ApS' }],
		];
		for (const [index, [operation, merchant]] of ways.entries()) {
			expect(await create('merchant', operation, merchant)).toEqual({ id: index + 1, requests: 1 });
		}
		const edited = { companyName: 'Fast ApS', contactPhone: '+45 12 34 56 78' };
		expect(await create('merchant', 'create', edited)).toEqual({ id: 1, requests: 0 });
	});
});

describe('an operation that is not there', () => {
	it('of the other authentication: says which one it needs', () => {
		expect(missingOperation('payment', 'getAll')).toEqual({
			message: "The operation 'Get Many' needs a credential for API Keys",
			description: 'Choose such a credential in the node, or another operation. Nothing was sent.',
		});
	});

	it.each([
		['payment', 'refund'],
		['invoice', 'create'],
		['constructor', 'create'],
	])('%s, %s: says what to do', (resource, operation) => {
		expect(missingOperation(resource, operation)).toEqual({
			message: `This version of the node has no operation '${operation}' for '${resource}'`,
			description: 'Choose another operation, or update the package n8n-nodes-acountpay.',
		});
	});
});

it('each operation is found by its authentication, resource and name', () => {
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

describe("every field, by n8n's rules, which its lint can't see where a function makes the field", () => {
	const fieldsIn = (fields: INodeProperties[]): INodeProperties[] =>
		fields.flatMap((field) => {
			const isGroup = field.type === 'collection' || field.type === 'fixedCollection';
			return [field, ...(isGroup ? fieldsIn(field.options as INodeProperties[]) : [])];
		});
	const shown = fieldsIn(properties).filter(({ type }) => type !== 'notice');

	it.each([...new Map(shown.map((field) => [JSON.stringify(field), field])).values()])(
		'$displayName ($name)',
		({ displayName, name, description, placeholder }) => {
			expect(name).toMatch(/^[a-z][A-Za-z]*$/);
			for (const word of displayName.split(/[ (]+/)) expect(word).toMatch(/^([A-Z]|a$)/);
			if (placeholder && name !== 'options') expect(placeholder).toMatch(/^(e\.g\. \S|Add )/);
			if (description === undefined) return;
			expect(description).toMatch(/^\S.*\S$/);
			// One sentence has no full stop; more have.
			expect(description.endsWith('.')).toBe(/[.:] [A-Z]/.test(description));
		},
	);
});
