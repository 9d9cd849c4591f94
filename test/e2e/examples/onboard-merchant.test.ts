import axios from 'axios';
import { KEY_MERCHANTS } from '../../../sandbox';
import {
	errorOf,
	isFinished,
	type Execution,
	type StoredCredential,
	type StoredWorkflow,
} from '../../../tools/n8n/api';
import { until } from '../../kit/payments';
import { DataTable, nodesRun, startFrom, type MerchantRow } from '../example';
import { startMailbox, type Mailbox } from '../mailbox';
import { useExamples } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

describe('onboard a merchant', () => {
	const REFUSED = 'nobody@example.com';
	const merchants = new DataTable<MerchantRow>(api, 'AcountPay merchants', 'companyName');
	let mailbox: Mailbox;
	let smtp: StoredCredential;
	let workflow: StoredWorkflow;
	let stores: StoredWorkflow;

	beforeEach(async () => {
		await merchants.remove();
		mailbox = await startMailbox([REFUSED]);
		smtp = await api.createCredential('Mail', 'smtp', mailbox.credential);
		workflow = await examples.load('onboard-merchant', [smtp]);
		stores = await examples.load('merchant-stores');
		await examples.run(workflow, 'Start');
	});

	afterEach(async () => await mailbox.close());

	const merchant = (companyName: string, more: Partial<MerchantRow> = {}): MerchantRow => ({
		companyName,
		contactEmail: `${companyName.toLowerCase()}@example.com`,
		...more,
	});

	/** Publishes the workflow for stores, and invites these merchants. */
	const invite = async (...rows: MerchantRow[]) => {
		await examples.publish(stores);
		await merchants.add(...rows);
		return await examples.run(workflow, 'Start');
	};

	/** The merchant opens the link in its mail, and presses the button there. */
	const finishOnboarding = async (companyName: string) => {
		const mail = mailbox.mails.find(
			({ subject }) => subject === `Get paid by bank: ${companyName}`,
		);
		const [, link] = /href="([^"]+)"/.exec(String(mail?.html))!;
		await axios.post(`${link}/activate`, undefined, { proxy: false });
		await examples.sandbox.webhooksIdle();
	};

	/** The executions that AcountPay's events have started, when there are so many and they are finished. */
	const started = async (count: number): Promise<Execution[]> => {
		const runs = async () =>
			(await examples.executionsOf(stores)).filter(({ mode }) => mode === 'webhook');
		await until(async () => {
			const all = await runs();
			return all.length === count && all.every(isFinished);
		});
		return await Promise.all((await runs()).map(async ({ id }) => await api.getExecution(id)));
	};

	it('mails the link, and creates the store once the merchant has done its part', async () => {
		const row = merchant('Coffee', {
			storeName: 'Aarhus',
			streetAddress: 'Torv 1',
			postalCode: '8000',
			city: 'Aarhus C',
		});
		const invited = await invite(row, merchant('Tea'));
		expect(errorOf(invited)).toBeUndefined();
		expect(examples.sandbox.registrations).toMatchObject([{ events: ['merchant.activated'] }]);
		const made = examples.sandbox.merchants.find(({ companyName }) => companyName === 'Coffee')!;
		expect(made).toMatchObject({ contactEmail: 'coffee@example.com', status: 'pending' });
		expect(await merchants.row('Coffee')).toMatchObject({
			state: 'invited',
			merchantNumber: String(made.id),
			merchantId: made.clientId,
		});
		expect(mailbox.mails).toHaveLength(2);
		expect(JSON.stringify(await merchants.rows())).not.toContain(made.onboardingToken);
		expect(examples.sandbox.stores).toEqual([]);

		await finishOnboarding('Coffee');
		const [execution] = await started(1);
		expect(errorOf(execution)).toBeUndefined();
		expect(nodesRun(execution)).toContain('Ready to Be Paid');
		expect(examples.sandbox.stores).toMatchObject([
			{
				merchantId: made.id,
				fields: {
					name: 'Aarhus',
					streetAddress: 'Torv 1',
					postalCode: '8000',
					city: 'Aarhus C',
					isDefault: true,
				},
			},
		]);
		const [{ id: storeId }] = examples.sandbox.stores;
		expect(await merchants.row('Coffee')).toMatchObject({ state: 'active', storeId });
		expect(await merchants.row('Tea')).toMatchObject({ state: 'invited' });
	});

	it('creates one store, named as the company, however often the merchant is activated', async () => {
		await invite(merchant('Coffee'));
		const { id } = examples.sandbox.merchants.find(({ companyName }) => companyName === 'Coffee')!;
		const activateAgain = async () => {
			examples.sandbox.deactivate(id);
			examples.sandbox.activate(id);
			await examples.sandbox.webhooksIdle();
		};
		// The second event comes while the store is being created.
		examples.sandbox.faults.add({
			match: { endpoint: 'createStore' },
			latencyMs: 3_000,
			times: 'always',
		});
		await finishOnboarding('Coffee');
		await until(() => examples.sandbox.requests.some(({ endpoint }) => endpoint === 'createStore'));
		await activateAgain();
		await started(2);
		await activateAgain();
		const executions = await started(3);
		expect(executions.map(({ status }) => status)).toEqual(['success', 'success', 'success']);
		const [first, ...others] = executions.map(nodesRun);
		expect(first).toContain('Ready to Be Paid');
		for (const nodes of others) expect(nodes).toContain('Nothing Left to Do');
		expect(examples.sandbox.stores).toMatchObject([{ fields: { name: 'Coffee' } }]);
	});

	it('invites the others when one fails, says what went wrong, and invites nobody again', async () => {
		const execution = await invite(
			merchant('Tea', { contactEmail: 'no address' }),
			merchant('Milk', { contactEmail: REFUSED }),
			merchant('Coffee'),
		);
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toMatch(
			/^2 of 3 merchants need you: .*(Tea.*Milk|Milk.*Tea)/,
		);
		expect(mailbox.mails.map(({ subject }) => subject)).toEqual(['Get paid by bank: Coffee']);
		expect(await merchants.rows()).toMatchObject([
			{ state: 'notCreated', note: expect.stringContaining('refused') },
			{ state: 'invited', note: expect.stringContaining('The mail was not sent') },
			{ state: 'invited', note: '' },
		]);
		const again = await examples.run(workflow, 'Start');
		expect(nodesRun(again)).not.toContain('Create Merchant');
		expect(mailbox.mails).toHaveLength(1);
	});

	it('says who got no link when no mail account is chosen', async () => {
		delete workflow.nodes.find(({ name }) => name === 'Send the Link')!.credentials;
		await api.updateWorkflow(workflow.id, workflow);
		const { message } = errorOf(await invite(merchant('Coffee')))!;
		expect(message).toMatch(/^1 of 1 merchants need you: Coffee/);
		const note = expect.stringContaining("the node 'Send the Link' of this execution shows why");
		expect(await merchants.rows()).toMatchObject([{ state: 'invited', note }]);
	});

	it('mails nothing when AcountPay gives no link, and says that the merchant may exist', async () => {
		const match = { endpoint: 'createMerchant' } as const;
		const answer = { merchantId: 42, clientId: 'client-42', onboardingUrl: 'https://example.com' };
		examples.sandbox.faults.add({ match, status: 201, body: { clientId: 'client-42' } });
		examples.sandbox.faults.add({ match, status: 201, body: { data: answer } });
		const execution = await invite(merchant('Coffee'), merchant('Tea'));
		expect(errorOf(execution)?.message).toMatch(/^2 of 2 merchants need you: /);
		expect(mailbox.mails).toEqual([]);
		const note = `Create Merchant in execution ${execution.id} gave no number, client ID or link of the merchant`;
		const unknown = { state: 'unknown', merchantNumber: null, note };
		expect(await merchants.rows()).toMatchObject([unknown, unknown]);
	});

	it('says in the row that the link is being mailed, until it is', async () => {
		await merchants.add(merchant('Coffee'));
		let noteWhileMailing: unknown;
		mailbox.onMail = async () => {
			noteWhileMailing = (await merchants.row('Coffee')).note;
		};
		const { id } = await examples.run(workflow, 'Start');
		expect(noteWhileMailing).toBe(`Execution ${id} is mailing the link`);
		expect(await merchants.row('Coffee')).toMatchObject({ state: 'invited', note: '' });
	});

	it('creates the store of a merchant that is activated before its row is noted', async () => {
		await examples.publish(stores);
		await merchants.add(merchant('Coffee'), merchant('Tea'));
		// The merchant is created, and AcountPay's response comes late.
		const match = { endpoint: 'createMerchant' } as const;
		examples.sandbox.faults.add({ match, latencyMs: 3_000 });
		const inviting = await startFrom(api, workflow.id, 'Start');
		const coffee = () =>
			examples.sandbox.merchants.find(({ companyName }) => companyName === 'Coffee');
		await until(() => coffee() !== undefined);
		examples.sandbox.activate(coffee()!.id);
		const [tooEarly] = await started(1);
		expect(errorOf(tooEarly)?.message).toContain('Every Hour creates the store');
		expect(errorOf(await examples.finished(inviting))).toBeUndefined();
		expect(await merchants.row('Coffee')).toMatchObject({ state: 'invited' });

		const found = await examples.run(stores, 'Every Hour');
		expect(errorOf(found)).toBeUndefined();
		expect(examples.sandbox.stores).toMatchObject([{ fields: { name: 'Coffee' } }]);
		const [{ id: storeId }] = examples.sandbox.stores;
		expect(await merchants.row('Coffee')).toMatchObject({ state: 'active', storeId });
		expect(await merchants.row('Tea')).toMatchObject({ state: 'invited' });

		expect(nodesRun(await examples.run(stores, 'Every Hour'))).not.toContain('Create Store');
	});

	it('creates no store for another company that has the number of a row, and says so', async () => {
		await invite(merchant('Coffee'));
		// As if the row were of the sandbox, and the credential for production.
		const made = await merchants.row('Coffee');
		await merchants.change('Coffee', { merchantId: 'of-the-sandbox' });
		await finishOnboarding('Coffee');
		const [byEvent] = await started(1);
		expect(errorOf(byEvent)?.message).toContain('no row of the table with its number');
		expect(errorOf(await examples.run(stores, 'Every Hour'))?.message).toMatch(
			/^It is not known whether .*: Coffee \(Get Merchant gave another client ID/,
		);

		await merchants.change('Coffee', { merchantId: made.merchantId });
		const event = { data: { merchantId: Number(made.merchantNumber) } };
		const id = await startFrom(api, stores.id, 'Merchant Activated', event);
		const withoutClientId = await examples.finished(id);
		expect(nodesRun(withoutClientId)).toContain('No Row for It');
		expect(examples.sandbox.stores).toEqual([]);
		expect(await merchants.row('Coffee')).toMatchObject({ state: 'invited', storeId: null });
	});

	it('says every hour which merchants it could not read, once the others have their stores', async () => {
		await merchants.add(merchant('Tea'), merchant('Coffee'), merchant('Milk'));
		await examples.run(workflow, 'Start');
		for (const { merchantNumber } of await merchants.rows())
			examples.sandbox.activate(Number(merchantNumber));
		for (const name of ['Tea', 'Milk']) {
			const { merchantId } = await merchants.row(name);
			const match = { endpoint: 'getMerchant', merchant: merchantId! } as const;
			examples.sandbox.faults.add({ match, status: 403, times: 'always' });
		}
		const execution = await examples.run(stores, 'Every Hour');
		expect(errorOf(execution)?.message).toMatch(/: Tea \(.* not allow .*; Milk \(.* not allow /);
		expect(examples.sandbox.stores).toMatchObject([{ fields: { name: 'Coffee' } }]);
		const states = (await merchants.rows()).map(({ state }) => state);
		expect(states).toEqual(['invited', 'active', 'invited']);
	});

	it('writes names with HTML into the mail as they are read', async () => {
		await invite(merchant('<b>Coffee</b>', { contactEmail: 'coffee@example.com' }));
		const [{ html }] = mailbox.mails;
		expect(html).toContain('&#60;b&#62;Coffee&#60;/b&#62;');
		expect(html).not.toContain('<b>');
	});

	it('mails one link and names the other merchant when somebody frees a row that is being created', async () => {
		await merchants.add(merchant('Coffee'));
		// The first execution waits out a 429, and would create its merchant in 4 seconds.
		const match = { endpoint: 'createMerchant' } as const;
		examples.sandbox.faults.add({ match, status: 429, headers: { 'Retry-After': '4' } });
		const first = await startFrom(api, workflow.id, 'Start');
		await until(() =>
			examples.sandbox.requests.some(({ endpoint }) => endpoint === 'createMerchant'),
		);
		await merchants.change('Coffee', { state: '' });
		const again = await examples.load('onboard-merchant', [smtp]);
		const executions = [await examples.run(again, 'Start'), await examples.finished(first)];
		const { merchantNumber } = await merchants.row('Coffee');
		const created = examples.sandbox.merchants.filter(
			({ companyName }) => companyName === 'Coffee',
		);
		expect(created).toHaveLength(2);
		const [other] = created.filter(({ id }) => String(id) !== merchantNumber);
		expect(mailbox.mails).toHaveLength(1);
		const messages = executions.map((execution) => errorOf(execution)?.message ?? '');
		expect(messages.join('')).toContain(`merchant ${other.id} was created for it`);
		expect(messages.filter((message) => message === '')).toHaveLength(1);
	});

	it('names the other store when somebody frees a row whose store is being created', async () => {
		await invite(merchant('Coffee'));
		// The first execution waits out a 429, and would create its store in 4 seconds.
		const match = { endpoint: 'createStore' } as const;
		examples.sandbox.faults.add({ match, status: 429, headers: { 'Retry-After': '4' } });
		await finishOnboarding('Coffee');
		await until(() => examples.sandbox.requests.some(({ endpoint }) => endpoint === 'createStore'));
		await merchants.change('Coffee', { state: 'invited' });
		const found = await examples.run(stores, 'Every Hour');
		const [byEvent] = await started(1);
		const { state, storeId, note } = await merchants.row('Coffee');
		expect({ state, note }).toEqual({ state: 'active', note: '' });
		expect(examples.sandbox.stores).toHaveLength(2);
		const [other] = examples.sandbox.stores.filter(({ id }) => id !== storeId);
		const messages = [found, byEvent].map((execution) => errorOf(execution)?.message ?? '');
		expect(messages.join('')).toMatch(
			`Coffee: store ${other.id} was created, and somebody changed`,
		);
		expect(messages.filter((message) => message === '')).toHaveLength(1);
	});

	it('says so when AcountPay gives no ID of the store', async () => {
		await invite(merchant('Coffee'));
		const match = { endpoint: 'createStore' } as const;
		examples.sandbox.faults.add({ match, status: 201, body: { data: { storeId: 'loc_1' } } });
		await finishOnboarding('Coffee');
		const [{ id, ...execution }] = await started(1);
		const note = `Create Store in execution ${id} gave no ID of a store`;
		expect(errorOf({ id, ...execution })?.message).toContain(note);
		expect(await merchants.row('Coffee')).toMatchObject({ state: 'storeUnknown', note });
	});

	it('says so when the store could not be created', async () => {
		await invite(merchant('Coffee'));
		examples.sandbox.faults.add({ match: { endpoint: 'createStore' }, status: 400 });
		await finishOnboarding('Coffee');
		const [execution] = await started(1);
		expect(errorOf(execution)?.message).toMatch(
			/^Coffee is active, but has no store in the table: .*refused/,
		);
		expect(await merchants.row('Coffee')).toMatchObject({
			state: 'storeNotCreated',
			note: expect.stringContaining('refused'),
		});
	});

	it('says so when a merchant is active that no row waits for', async () => {
		await examples.publish(stores);
		examples.sandbox.deactivate(KEY_MERCHANTS.shop.id);
		examples.sandbox.activate(KEY_MERCHANTS.shop.id);
		await examples.sandbox.webhooksIdle();
		const [execution] = await started(1);
		expect(errorOf(execution)?.message).toContain('Merchant 1 is active, but no row');
		expect(examples.sandbox.stores).toEqual([]);
	});
});
