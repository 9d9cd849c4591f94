/**
 * The trigger's registration in random orders of what n8n, people and AcountPay do: static data that are dropped or put back,
 * several processes, publications, restarts, a rotated client secret, webhooks that are removed at AcountPay, noise.
 */
import { createHmac, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import type {
	IDataObject,
	IHookFunctions,
	IHttpRequestOptions,
	IWebhookFunctions,
} from 'n8n-workflow';
import * as n8nWorkflow from 'n8n-workflow';
import type { WebhookEvent } from '../../../nodes/shared/api/events';

const URL_OF_TRIGGER = 'https://n8n.example.com/webhook/a-1/webhook';
const API = 'https://acountpay.test';
const FOREIGN = { id: 1, url: 'https://shop.example.com/hook', secret: 'whsec_of_a_shop' };
const MINUTE = 60_000;

interface Listed {
	id: number;
	url: string;
	events: string[];
	status: string;
	secret: string;
}

/** AcountPay, with a webhook of somebody else. */
class FakeAcountPay {
	lastId = FOREIGN.id;
	webhooks: Listed[] = [{ ...FOREIGN, events: ['payment.completed'], status: 'active' }];
	clientSecret = 'first';
	readonly calls: string[] = [];

	constructor(readonly isRemovable: boolean) {}

	get own() {
		return this.webhooks.filter(({ url }) => url === URL_OF_TRIGGER);
	}

	answer({ method, url, body, headers }: IHttpRequestOptions) {
		this.calls.push(`${method} ${url}`);
		const reply = (statusCode: number, value: unknown = '') => ({
			statusCode,
			headers: {},
			body: Buffer.from(JSON.stringify(value)),
		});
		if (headers?.['X-Partner-Client-Secret'] !== this.clientSecret) return reply(401);
		const id = Number(/\d+$/.exec(url)?.[0]);
		const webhook = this.webhooks.find((each) => each.id === id);
		if (method === 'GET') {
			return reply(
				200,
				this.webhooks.map(({ secret, ...shown }) => ({
					...shown,
					secret: secret && 'whsec_xxxxxxxxxxxxxxxx',
				})),
			);
		}
		if (method === 'POST') {
			const target = JSON.parse(String(body)) as Pick<Listed, 'url' | 'events'>;
			const secret = `whsec_${randomBytes(24).toString('hex')}`;
			this.webhooks.push({ ...target, id: ++this.lastId, status: 'active', secret });
			return reply(201, this.webhooks.at(-1));
		}
		if (!webhook || (method === 'DELETE' && !this.isRemovable)) return reply(404);
		if (method === 'PUT') Object.assign(webhook, JSON.parse(String(body)));
		else this.webhooks = this.webhooks.filter((each) => each !== webhook);
		return reply(200, webhook);
	}
}

interface Process {
	registration: typeof import('../../../nodes/AcountPayTrigger/registration');
	subscriptions: typeof import('../../../nodes/AcountPayTrigger/subscriptions');
}

/** The modules as a process has them that has just been started. */
function newProcess(): Process {
	let modules!: Process;
	jest.isolateModules(() => {
		// Holds nothing of ours, and takes long to load.
		jest.doMock('n8n-workflow', () => n8nWorkflow);
		modules = {
			registration: jest.requireActual('../../../nodes/AcountPayTrigger/registration'),
			subscriptions: jest.requireActual('../../../nodes/AcountPayTrigger/subscriptions'),
		};
	});
	return modules;
}

/** n8n with two processes, its database, and AcountPay behind it. */
class World {
	readonly acountPay: FakeAcountPay;
	readonly processes = [newProcess(), newProcess()];
	/** All states of the static data, the present one last. */
	readonly versions: IDataObject[] = [{}];
	readonly log: string[] = [];
	/** All secrets that AcountPay has given. */
	isPublished = false;
	private lastPayment = 0;

	constructor(isRemovable: boolean) {
		this.acountPay = new FakeAcountPay(isRemovable);
	}

	get staticData() {
		return this.versions.at(-1)!;
	}

	/** A node's context; what is written is stored when `use` has ended. */
	private async within<T>(extra: object, use: (context: never) => Promise<T>): Promise<T> {
		const staticData = structuredClone(this.staticData);
		const log = (line: string) => this.log.push(line);
		const { clientSecret } = this.acountPay;
		const result = await use({
			getNode: () => ({
				id: 'node',
				name: 'Trigger',
				parameters: { authentication: 'apiKey' },
				credentials: { acountPayKeyApi: { id: '1' } },
			}),
			getWorkflow: () => ({ id: 'workflow' }),
			getMode: () => 'webhook',
			getNodeParameter: () => ['payment.completed'],
			getNodeWebhookUrl: () => URL_OF_TRIGGER,
			getWorkflowStaticData: () => staticData,
			getCredentials: async () => ({
				environment: 'custom',
				baseUrl: API,
				clientId: 'id',
				clientSecret,
				webhookSecret: '',
			}),
			getExecutionCancelSignal: () => undefined,
			helpers: {
				httpRequest: async (options: IHttpRequestOptions) => this.acountPay.answer(options),
			},
			logger: { info: log, warn: log },
			...extra,
		} as never);
		if (JSON.stringify(staticData) !== JSON.stringify(this.staticData))
			this.versions.push(staticData);
		return result;
	}

	async publish(process: number) {
		const { register } = this.processes[process].registration;
		await this.within({}, async (context: IHookFunctions) => await register(context));
		this.isPublished = true;
	}

	async unpublish(process: number) {
		const { unregister } = this.processes[process].registration;
		await this.within({}, async (context: IHookFunctions) => await unregister(context));
		this.isPublished = false;
	}

	/** @returns whether the event of a new payment starts the workflow */
	async deliver(process: number, secret: string): Promise<boolean> {
		const rawBody = Buffer.from(
			JSON.stringify({
				event: 'payment.completed',
				timestamp: new Date(Date.now()).toISOString(),
				data: { paymentId: ++this.lastPayment },
			} satisfies WebhookEvent),
		);
		const signature = createHmac('sha256', secret).update(rawBody).digest('hex');
		const request = { headers: { 'x-webhook-signature': signature }, rawBody };
		let status: number | undefined;
		const response = {
			status: (code: number) => ((status = code), response),
			json: () => response,
			end() {},
		};
		const extra = { getRequestObject: () => request, getResponseObject: () => response };
		const { subscriptionOf } = this.processes[process].subscriptions;
		const received = await this.within(
			extra,
			async (context: IWebhookFunctions) => await subscriptionOf(context).receive(context),
		);
		expect(status).toBe(received ? undefined : 401);
		return received !== undefined;
	}

	/** What AcountPay sends to all webhooks of the trigger. @returns whether one of them starts the workflow */
	async pay(process: number): Promise<boolean> {
		let isStarted = false;
		for (const { secret } of this.acountPay.own) {
			if (await this.deliver(process, secret)) isStarted = true;
		}
		return isStarted;
	}
}

const processOf = fc.nat(1);
const steps = fc.oneof(
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('publish' as const), process: processOf }) },
	fc.record({ do: fc.constant('unpublish' as const), process: processOf }),
	{ weight: 4, arbitrary: fc.record({ do: fc.constant('pay' as const), process: processOf }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('noise' as const), process: processOf }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), process: processOf }) },
	{ weight: 3, arbitrary: fc.record({ do: fc.constant('rewind' as const), by: fc.nat(5) }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('wipe' as const) }) },
	fc.record({ do: fc.constant('rotate' as const) }),
	fc.record({ do: fc.constant('removeAtAcountPay' as const) }),
	fc.record({ do: fc.constant('forge' as const), isOwnUrl: fc.boolean(), version: fc.nat(5) }),
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** What whoever edits the workflow can write: a record in the clear, one of another trigger, or a mix of both. */
const forged = (isOwnUrl: boolean, stolen: IDataObject): IDataObject => ({
	registration: {
		id: String(FOREIGN.id),
		secret: 'whsec_known_to_the_writer',
		url: isOwnUrl ? URL_OF_TRIGGER : FOREIGN.url,
		baseUrl: API,
		...(stolen.registration && {
			sealed: `A${String((stolen.registration as IDataObject).sealed).slice(1)}`,
		}),
	},
});

async function take(world: World, step: Step): Promise<void> {
	const { acountPay, versions } = world;
	switch (step.do) {
		case 'publish':
			return await world.publish(step.process);
		case 'unpublish':
			return await world.unpublish(step.process);
		case 'pay':
			if (world.isPublished) await world.pay(step.process);
			return;
		case 'noise': {
			const before = acountPay.webhooks.length;
			if (world.isPublished) {
				for (const secret of [
					'whsec_known_to_the_writer',
					'',
					FOREIGN.secret,
					'whsec_xxxxxxxxxxxxxxxx',
				]) {
					expect(await world.deliver(step.process, secret)).toBe(false);
				}
			}
			// One that is lost may be registered anew, but only one.
			expect(acountPay.webhooks.length - before).toBeLessThanOrEqual(1);
			return;
		}
		case 'restart':
			world.processes[step.process] = newProcess();
			return;
		case 'rewind':
			versions.push(structuredClone(versions[Math.max(0, versions.length - 1 - step.by)]));
			return;
		case 'wipe':
			versions.push({});
			return;
		case 'rotate':
			acountPay.clientSecret = randomBytes(8).toString('hex');
			return;
		case 'removeAtAcountPay':
			acountPay.webhooks = acountPay.webhooks.filter(({ id }) => id === FOREIGN.id);
			return;
		case 'forge': {
			const stolen = versions[Math.max(0, versions.length - 1 - step.version)];
			versions.push(forged(step.isOwnUrl, stolen));
		}
	}
}

describe('whatever happened', () => {
	it.each([true, false])(
		'no secret is stored in the clear, nothing forged counts, and a publication or two events heal it (removable: %j)',
		async (isRemovable) => {
			let now = 1_792_000_000_000;
			const clock = jest.spyOn(Date, 'now').mockImplementation(() => now);
			await fc.assert(
				fc.asyncProperty(
					fc.array(steps, { maxLength: 14 }),
					fc.constantFrom('publish', 'deliver'),
					async (sequence, heal) => {
						const world = new World(isRemovable);
						const { acountPay } = world;
						await world.publish(0);
						const given = new Set<string>();
						for (const step of sequence) {
							now += 2 * MINUTE;
							await take(world, step);
							for (const { secret } of acountPay.own) given.add(secret);
							const stored = JSON.stringify(world.versions) + world.log.join('\n');
							for (const secret of given) expect(stored).not.toContain(secret);
							expect(acountPay.webhooks[0]).toMatchObject(FOREIGN);
						}
						now += 2 * MINUTE;
						if (heal === 'publish' || !world.isPublished || acountPay.own.length === 0) {
							await world.publish(1);
							expect(await world.pay(1)).toBe(true);
						} else {
							await world.pay(1);
							expect(await world.pay(1)).toBe(true);
						}
						// And a process that has seen nothing of it knows by what n8n has stored.
						world.processes[0] = newProcess();
						expect(await world.pay(0)).toBe(true);
						if (isRemovable) expect(acountPay.own).toHaveLength(1);
						expect(await world.deliver(0, 'whsec_known_to_the_writer')).toBe(false);
						expect(acountPay.calls.filter((call) => /(PUT|DELETE) .*\/1$/.test(call))).toEqual([]);
					},
				),
				{ numRuns: 40 },
			);
			clock.mockRestore();
		},
		60_000,
	);
});

describe('in a process that knows the newest registration', () => {
	it('no event is refused and no removed webhook comes back, whatever n8n does to the static data', async () => {
		const happens = fc.oneof(
			fc.constant({ do: 'anew' as const }),
			{ weight: 3, arbitrary: fc.record({ do: fc.constant('rewind' as const), by: fc.nat(5) }) },
			fc.constant({ do: 'wipe' as const }),
			fc.record({ do: fc.constant('forge' as const), isOwnUrl: fc.boolean(), version: fc.nat(5) }),
		);
		await fc.assert(
			fc.asyncProperty(fc.array(happens, { maxLength: 12 }), async (sequence) => {
				const world = new World(true);
				await world.publish(0);
				const removed: string[] = [];
				let registrations = 1;
				for (const step of sequence) {
					if (step.do === 'anew') {
						removed.push(world.acountPay.own[0].secret);
						await world.unpublish(0);
						await world.publish(0);
						registrations++;
					} else await take(world, step);
					expect(await world.pay(0)).toBe(true);
					for (const secret of removed) expect(await world.deliver(0, secret)).toBe(false);
				}
				const asked = world.acountPay.calls.filter((call) => call.startsWith('POST'));
				expect(asked).toHaveLength(registrations);
			}),
			{ numRuns: 40 },
		);
	});
});

describe('deliveries that nobody has signed', () => {
	it('cause one request a minute at most, whatever is kept', async () => {
		let now = 1_792_000_000_000;
		const clock = jest.spyOn(Date, 'now').mockImplementation(() => now);
		const world = new World(false);
		await world.publish(0);
		world.acountPay.calls.length = 0;
		for (let second = 0; second < 600; second++) {
			now += 1_000;
			expect(await world.deliver(0, 'x')).toBe(false);
		}
		expect(world.acountPay.calls).toHaveLength(10);
		expect(world.acountPay.own).toHaveLength(1);
		clock.mockRestore();
	});
});
