/**
 * The trigger's registration in random orders of what n8n, people and AcountPay do: static data that are dropped or put back,
 * several processes, publications, restarts, a rotated client secret, webhooks that are removed or switched off at AcountPay,
 * lists and registrations that go wrong, noise, and some of it at the same time.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { setImmediate as nextTick } from 'node:timers/promises';
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
const KNOWN_TO_WRITER = 'whsec_known_to_the_writer';
const NOISE = [KNOWN_TO_WRITER, '', FOREIGN.secret, 'whsec_xxxxxxxxxxxxxxxx'];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let now: number;
beforeEach(() => {
	now = 1_792_000_000_000;
	jest.spyOn(Date, 'now').mockImplementation(() => now++);
	jest.spyOn(performance, 'now').mockImplementation(() => now++);
});
afterEach(() => jest.restoreAllMocks());

interface Listed {
	id: number;
	url: string;
	events: string[];
	status: string;
	secret: string;
}

/** What goes wrong at AcountPay: its lists fail, or lack webhooks and say so, or don't; what it has registered it doesn't say. */
const FAULTS = ['failing list', 'incomplete list', 'wrong list', 'lost response'] as const;
type Fault = (typeof FAULTS)[number];

interface AcountPaySettings {
	/** Whether it removes webhooks, and switches those on that are changed. */
	isRemovable: boolean;
	/** How many turns of the event loop each response takes, again and again. */
	delays: number[];
}

/** AcountPay, with a webhook of somebody else. */
class FakeAcountPay {
	lastId = FOREIGN.id;
	webhooks: Listed[] = [{ ...FOREIGN, events: ['payment.completed'], status: 'active' }];
	clientSecret = 'first';
	fault: Fault | 'inactive' | undefined;
	showsSecrets = false;
	readonly calls: string[] = [];
	/** How many of its lists were true. */
	trueLists = 0;
	/** All secrets that it has given. */
	readonly given = new Set<string>();

	constructor(private readonly settings: AcountPaySettings) {}

	get own() {
		return this.webhooks.filter(({ url }) => url === URL_OF_TRIGGER);
	}

	get secrets() {
		return this.webhooks.map(({ secret }) => secret);
	}

	async answer(request: IHttpRequestOptions) {
		const { delays } = this.settings;
		const delay = delays.length === 0 ? 0 : delays[this.calls.length % delays.length];
		this.calls.push(`${request.method} ${request.url}`);
		for (let tick = 0; tick < delay; tick++) await nextTick();
		const response = this.respond(request);
		for (let tick = 0; tick < delay; tick++) await nextTick();
		return response;
	}

	private respond({ method, url, body, headers }: IHttpRequestOptions) {
		const reply = (statusCode: number, value: unknown = '') => ({
			statusCode,
			headers: {},
			body: Buffer.from(JSON.stringify(value)),
		});
		const { isRemovable } = this.settings;
		if (headers?.['X-Partner-Client-Secret'] !== this.clientSecret) return reply(401);
		if (method === 'GET') {
			if (this.fault === 'failing list') return reply(503);
			const list = this.webhooks.map((webhook) => ({
				...webhook,
				secret: this.showsSecrets ? webhook.secret : NOISE[3],
			}));
			const total = list.length + 1;
			if (this.fault === 'incomplete list') return reply(200, { webhooks: [list[0]], total });
			if (this.fault === 'wrong list') return reply(200, [list[0]]);
			this.trueLists++;
			return reply(200, list);
		}
		if (method === 'POST') {
			const target = JSON.parse(String(body)) as Pick<Listed, 'url' | 'events'>;
			const secret = `whsec_${randomBytes(24).toString('hex')}`;
			this.given.add(secret);
			const status = this.fault === 'inactive' ? 'inactive' : 'active';
			this.webhooks.push({ ...target, id: ++this.lastId, status, secret });
			return this.fault === 'lost response' ? reply(503) : reply(201, this.webhooks.at(-1));
		}
		const webhook = this.webhooks.find(({ id }) => id === Number(/\d+$/.exec(url)?.[0]));
		if (!webhook || (method === 'DELETE' && !isRemovable)) return reply(404);
		if (method === 'DELETE') this.webhooks = this.webhooks.filter((each) => each !== webhook);
		else Object.assign(webhook, JSON.parse(String(body)), isRemovable && { status: 'active' });
		return reply(200, webhook);
	}
}

type Subscriptions = typeof import('../../../nodes/AcountPayTrigger/subscriptions');

/** A process of n8n that has just been started. */
class Process {
	readonly subscriptions: Subscriptions;
	/** The secrets that it was given or has accepted, and those of them that AcountPay has told it are gone. */
	readonly known = new Set<string>();
	readonly knownGone = new Set<string>();
	/** When deliveries have made it register a webhook, in ms since 1970. */
	readonly registeredAt: number[] = [];

	constructor() {
		let subscriptions!: Subscriptions;
		jest.isolateModules(() => {
			// Holds nothing of ours, and takes long to load.
			const sleep = async (ms: number) => void (now += ms);
			jest.doMock('n8n-workflow', () => ({ ...n8nWorkflow, sleep }));
			subscriptions = jest.requireActual('../../../nodes/AcountPayTrigger/subscriptions');
		});
		this.subscriptions = subscriptions;
	}
}

/** n8n with two processes, its database, and AcountPay behind it. */
class World {
	readonly acountPay: FakeAcountPay;
	readonly processes = [new Process(), new Process()];
	/** All states of the static data, the present one last. */
	readonly versions: IDataObject[] = [{}];
	readonly log: string[] = [];
	isPublished = false;
	webhookSecret = '';
	/** What the last publication that went wrong has said. */
	lastError = '';
	url = URL_OF_TRIGGER;
	private lastPayment = 0;

	constructor(isRemovable: boolean, delays: number[] = []) {
		this.acountPay = new FakeAcountPay({ isRemovable, delays });
	}

	get staticData() {
		return this.versions.at(-1)!;
	}

	/** A node's context in a process; what is written is stored when `use` has ended. */
	private async within<T>(
		process: Process,
		extra: object,
		use: (context: never, subscriptions: Subscriptions) => Promise<T>,
	): Promise<T> {
		const before = JSON.stringify(this.staticData);
		const staticData = structuredClone(this.staticData);
		const log = (line: string) => this.log.push(line);
		const { clientSecret } = this.acountPay;
		const isDelivery = 'getRequestObject' in extra;
		const context = {
			getNode: () => ({
				id: 'node',
				name: 'Trigger',
				parameters: { authentication: 'apiKey' },
				credentials: { acountPayKeyApi: { id: '1' } },
			}),
			getWorkflow: () => ({ id: 'workflow' }),
			getMode: () => 'webhook',
			getNodeParameter: () => ['payment.completed'],
			getNodeWebhookUrl: () => this.url,
			getWorkflowStaticData: () => staticData,
			getCredentials: async () => ({
				environment: 'custom',
				baseUrl: API,
				clientId: 'id',
				clientSecret,
				webhookSecret: this.webhookSecret,
			}),
			getExecutionCancelSignal: () => undefined,
			helpers: {
				httpRequest: async (options: IHttpRequestOptions) => {
					if (options.method === 'POST' && isDelivery) process.registeredAt.push(now);
					const response = await this.acountPay.answer(options);
					const { secret } = (JSON.parse(String(response.body)) ?? {}) as { secret?: string };
					if (options.method === 'POST' && secret) process.known.add(secret);
					return response;
				},
			},
			logger: { info: log, warn: log },
			...extra,
		};
		try {
			return await use(context as never, process.subscriptions);
		} finally {
			expect(Object.keys(staticData.registration ?? {})).not.toContain('secret');
			if (JSON.stringify(staticData) !== before) this.versions.push(staticData);
		}
	}

	/** @returns whether it went well: n8n tries again what did not, or a person does */
	async publish(process: Process): Promise<boolean> {
		const use = async (context: IHookFunctions, { subscriptionOf }: Subscriptions) =>
			await subscriptionOf(context).begin(context);
		this.isPublished = await this.within(process, {}, use).then(
			() => true,
			(error: unknown) => {
				expect(error).toBeInstanceOf(n8nWorkflow.NodeOperationError);
				this.lastError = (error as Error).message;
				return false;
			},
		);
		return this.isPublished;
	}

	async unpublish(process: Process) {
		const use = async (context: IHookFunctions, { subscriptionOf }: Subscriptions) =>
			await subscriptionOf(context).end(context);
		await this.within(process, {}, use);
		this.isPublished = false;
	}

	/** @returns whether the event of a new payment starts the workflow */
	async deliver(process: Process, secret: string): Promise<boolean> {
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
		const received = await this.within(
			process,
			extra,
			async (context: IWebhookFunctions, { subscriptionOf }) =>
				await subscriptionOf(context).receive(context),
		);
		expect(status).toBe(received ? undefined : 401);
		if (received) process.known.add(secret);
		return received !== undefined;
	}

	/** What AcountPay sends to all webhooks of the trigger. @returns how many of them start the workflow */
	async pay(process: Process): Promise<number> {
		let started = 0;
		for (const { secret, status } of this.acountPay.own) {
			if (status === 'active' && (await this.deliver(process, secret))) started++;
		}
		return started;
	}
}

const processOf = fc.nat(1);
const fault = fc.option(fc.constantFrom(...FAULTS), { nil: undefined, freq: 2 });
const acts = (...names: Array<'publish' | 'unpublish' | 'pay' | 'noise'>) =>
	fc.record({ do: fc.constantFrom(...names), process: processOf });
const steps = fc.oneof(
	{ weight: 2, arbitrary: fc.record({ first: acts('publish'), fault }) },
	fc.record({ first: acts('unpublish'), fault }),
	{ weight: 4, arbitrary: fc.record({ first: acts('pay'), fault }) },
	{ weight: 2, arbitrary: fc.record({ first: acts('noise'), fault }) },
	{
		weight: 3,
		arbitrary: fc.record({
			first: acts('publish', 'unpublish', 'noise'),
			second: acts('publish', 'pay', 'noise'),
			fault,
		}),
	},
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), process: processOf }) },
	{ weight: 3, arbitrary: fc.record({ do: fc.constant('rewind' as const), by: fc.nat(5) }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('wipe' as const) }) },
	fc.record({ do: fc.constant('rotate' as const) }),
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat(3) }) },
	fc.record({ do: fc.constant('switchOff' as const), which: fc.nat(3) }),
	fc.record({ do: fc.constant('forge' as const), isOwnUrl: fc.boolean(), version: fc.nat(5) }),
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;
type Acts = Extract<Step, { first: unknown }>;

/** What whoever edits the workflow can write: a record in the clear, one of another trigger, or a mix of both. */
const forged = (isOwnUrl: boolean, stolen: IDataObject): IDataObject => ({
	registration: {
		id: String(FOREIGN.id),
		secret: KNOWN_TO_WRITER,
		url: isOwnUrl ? URL_OF_TRIGGER : FOREIGN.url,
		baseUrl: API,
		...(stolen.registration && {
			sealed: `A${String((stolen.registration as IDataObject).sealed).slice(1)}`,
		}),
	},
});

async function act(world: World, { do: what, process: number }: Acts['first']): Promise<unknown> {
	const process = world.processes[number];
	if (what === 'publish') return await world.publish(process);
	if (what === 'unpublish') return await world.unpublish(process);
	if (!world.isPublished) return undefined;
	if (what === 'pay') return await world.pay(process);
	for (const secret of NOISE) expect(await world.deliver(process, secret)).toBe(false);
	return undefined;
}

/** Publishes the trigger; then n8n stops, and has lost what it had stored. @returns the process after that */
async function publishThenForget(world: World): Promise<Process> {
	await world.publish(world.processes[0]);
	world.versions.push({});
	return (world.processes[0] = new Process());
}

/** One or two things at the same moment, and what holds after them. */
async function actAll(
	world: World,
	{ first, second, fault: wrong }: Acts & { second?: Acts['first'] },
) {
	const { acountPay } = world;
	const before = acountPay.trueLists;
	acountPay.fault = wrong;
	const results = await Promise.all(
		[first, ...(second ? [second] : [])].map((one) => act(world, one)),
	);
	acountPay.fault = undefined;
	if (second && second.process !== first.process) return;

	const process = world.processes[first.process];
	const hasSeenList = acountPay.trueLists > before;
	if (hasSeenList && !second) {
		for (const secret of process.known) {
			if (!acountPay.secrets.includes(secret)) process.knownGone.add(secret);
		}
	}
	const isPublished = [first, second].every(
		(one, at) => one?.do !== 'unpublish' && (one?.do !== 'publish' || results[at]),
	);
	const hasPublished = first.do === 'publish' || second?.do === 'publish';
	if (hasSeenList && hasPublished && isPublished && wrong !== 'wrong list') {
		if (acountPay.own.length > 0) expect(await world.pay(process)).toBe(1);
	}
}

async function take(world: World, step: Step): Promise<void> {
	const { acountPay, versions } = world;
	if ('first' in step) return await actAll(world, step);
	const back = (by: number) => structuredClone(versions[Math.max(0, versions.length - 1 - by)]);
	const own =
		'which' in step ? acountPay.own.at(step.which % Math.max(1, acountPay.own.length)) : undefined;
	switch (step.do) {
		case 'restart':
			world.processes[step.process] = new Process();
			return;
		case 'rewind':
			versions.push(back(step.by));
			return;
		case 'wipe':
			versions.push({});
			return;
		case 'rotate':
			acountPay.clientSecret = randomBytes(8).toString('hex');
			return;
		case 'remove':
			acountPay.webhooks = acountPay.webhooks.filter((webhook) => webhook !== own);
			return;
		case 'switchOff':
			if (own) own.status = 'inactive';
			return;
		case 'forge':
			versions.push(forged(step.isOwnUrl, back(step.version)));
	}
}

/** What holds after every step. */
async function expectSafe(world: World) {
	const { acountPay, versions, log } = world;
	const stored = JSON.stringify(versions) + log.join('\n');
	for (const secret of acountPay.given) expect(stored).not.toContain(secret);
	expect(acountPay.webhooks[0]).toMatchObject(FOREIGN);
	expect(acountPay.calls.filter((call) => /(PUT|DELETE) .*\/1$/.test(call))).toEqual([]);
	for (const process of world.processes) {
		for (const secret of process.knownGone) {
			if (world.isPublished) expect(await world.deliver(process, secret)).toBe(false);
		}
		for (const at of process.registeredAt) {
			const inHour = process.registeredAt.filter((other) => other >= at && other < at + HOUR);
			expect(inHour.length).toBeLessThanOrEqual(3);
		}
	}
}

describe('whatever happened', () => {
	it.each([true, false])(
		'no secret stands in the clear, nothing forged or gone counts, and a publication or two events heal it (removable: %j)',
		async (isRemovable) => {
			await fc.assert(
				fc.asyncProperty(
					fc.array(steps, { maxLength: 14 }),
					fc.array(fc.nat(3), { maxLength: 5 }),
					fc.constantFrom('publish', 'deliver'),
					async (sequence, delays, heal) => {
						const world = new World(isRemovable, delays);
						const { acountPay } = world;
						await world.publish(world.processes[0]);
						for (const step of sequence) {
							now += 2 * MINUTE;
							await take(world, step);
							await expectSafe(world);
						}
						now += HOUR;
						const [, process] = world.processes;
						const isOff = acountPay.own.some(({ status }) => status === 'inactive');
						if (heal === 'publish' || !world.isPublished || acountPay.own.length === 0 || isOff) {
							expect(await world.publish(process)).toBe(true);
						} else await world.pay(process);
						expect(await world.pay(process)).toBe(1);
						// And a process that has seen nothing of it knows by what n8n has stored.
						const started = (world.processes[0] = new Process());
						expect(await world.pay(started)).toBe(1);
						if (isRemovable && heal === 'publish') expect(acountPay.own).toHaveLength(1);
						expect(await world.deliver(started, KNOWN_TO_WRITER)).toBe(false);
						await expectSafe(world);
					},
				),
				{ numRuns: 60 },
			);
		},
		120_000,
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
				const [process] = world.processes;
				await world.publish(process);
				const removed: string[] = [];
				let registrations = 1;
				for (const step of sequence) {
					if (step.do === 'anew') {
						removed.push(world.acountPay.own[0].secret);
						await world.unpublish(process);
						await world.publish(process);
						registrations++;
					} else await take(world, step);
					expect(await world.pay(process)).toBe(1);
					for (const secret of removed) expect(await world.deliver(process, secret)).toBe(false);
				}
				const asked = world.acountPay.calls.filter((call) => call.startsWith('POST'));
				expect(asked).toHaveLength(registrations);
			}),
			{ numRuns: 40 },
		);
	});
});

describe('a webhook that has leaked and was removed at AcountPay', () => {
	it.each(['unpublish', 'publish', 'look'])(
		'counts no more after the next %s, in this process nor in another one, whatever n8n puts back',
		async (by) => {
			const world = new World(true);
			const [here, there] = world.processes;
			await world.publish(here);
			const older = structuredClone(world.staticData);
			const [{ secret }] = world.acountPay.own;
			expect(await world.deliver(there, secret)).toBe(true);
			// AcountPay has another one elsewhere: then no delivery registers anything in its place.
			const url = URL_OF_TRIGGER.replace('n8n.', 'test.');
			world.acountPay.webhooks[1] = { ...world.acountPay.webhooks[0], id: 9, url };
			if (by === 'publish') await world.publish(here);
			else if (by === 'unpublish') await world.unpublish(here);
			else await world.deliver(here, 'x');
			for (const n8nHasPutBack of [false, true]) {
				if (n8nHasPutBack) world.versions.push(older);
				for (const process of [here, there]) {
					expect(await world.deliver(process, secret)).toBe(false);
				}
			}
		},
	);
});

describe('deliveries that nobody has signed', () => {
	it('cause one request a minute at most, whatever is kept, and no warning about a healthy webhook', async () => {
		const world = new World(false);
		const [process] = world.processes;
		await world.publish(process);
		world.acountPay.calls.length = 0;
		const startedAt = now;
		for (let second = 0; second < 600; second++) {
			now = startedAt + second * 1_000;
			expect(await world.deliver(process, 'x')).toBe(false);
		}
		expect(world.acountPay.calls).toHaveLength(10);
		expect(world.acountPay.own).toHaveLength(1);
		const refused = "AcountPay node 'Trigger' refused a webhook: its signature is wrong";
		expect(new Set(world.log.slice(1))).toEqual(new Set([refused]));
	});

	it.each(['incomplete list', 'wrong list', 'lost response'] as const)(
		'cause three registrations an hour at most: %s',
		async (wrong) => {
			const world = new World(false);
			const [process] = world.processes;
			await world.publish(process);
			if (wrong === 'lost response') world.acountPay.webhooks.length = 1;
			world.acountPay.fault = wrong;
			for (let minute = 0; minute < 180; minute++) {
				now += MINUTE;
				await world.deliver(process, 'x');
				if (wrong === 'lost response') world.acountPay.webhooks.length = 1;
			}
			const most = wrong === 'incomplete list' ? 0 : 9;
			expect(process.registeredAt).toHaveLength(most);
			// They keep nobody from publishing.
			world.acountPay.fault = undefined;
			expect(await world.publish(process)).toBe(true);
			expect(await world.pay(process)).toBe(1);
		},
	);

	it.each([true, false])(
		'do not switch on what AcountPay has switched off (kept: %j)',
		async (isKept) => {
			const world = new World(true);
			const [process] = world.processes;
			await world.publish(process);
			world.acountPay.own[0].status = 'inactive';
			if (!isKept) {
				world.processes[0] = new Process();
				world.versions.push({});
			}
			await world.deliver(world.processes[0], 'x');
			expect(world.acountPay.own).toMatchObject([{ id: 2, status: 'inactive' }]);
			expect(world.log.join()).toMatch(/switched off 2 for .* unpublish and publish/);
		},
	);

	it('take up the webhook of the present address when that of an older one is switched off', async () => {
		const world = new World(true);
		const [old, present] = world.processes;
		await world.publish(old);
		const stored = structuredClone(world.versions);
		world.url = 'https://moved.example.com/webhook/a-1/webhook';
		await world.publish(present);
		// n8n stores the older static data again.
		world.versions.splice(0, world.versions.length, ...stored);
		world.acountPay.webhooks.find(({ id }) => id === 2)!.status = 'inactive';
		const { id, secret } = world.acountPay.webhooks.find(({ url }) => url === world.url)!;
		for (let delivery = 0; delivery < 4; delivery++) {
			now += 100_000;
			await world.deliver(old, secret);
		}
		expect(world.log.join()).not.toContain('switched off');
		expect(world.log.join()).toContain(`for ${world.url}`);
		expect(id).toBe(3);
	});

	it('name the webhook that is in the way of an AcountPay that takes each URL once', async () => {
		const world = new World(false);
		const process = await publishThenForget(world);
		const { acountPay } = world;
		const answer = acountPay.answer.bind(acountPay);
		let asked = 0;
		acountPay.answer = async (request) => {
			if (request.method !== 'POST') return await answer(request);
			asked++;
			return { statusCode: 409, headers: {}, body: Buffer.from('{}') };
		};
		for (let minute = 0; minute < 59; minute++) {
			now += MINUTE;
			await world.deliver(process, 'x');
		}
		expect(asked).toBe(3);
		const inTheWay =
			/conflicts with an existing webhook .* has the webhook 2 for \S+ already: if it takes only one, remove 2 in the AcountPay Partner Dashboard, then unpublish and publish/;
		expect(world.log.join()).toMatch(inTheWay);
		expect(await world.publish(process)).toBe(false);
		expect(world.lastError).toMatch(inTheWay);
	});

	it('register once with an AcountPay whose list takes nearly all the time', async () => {
		const world = new World(true);
		const process = await publishThenForget(world);
		const { acountPay } = world;
		const answer = acountPay.answer.bind(acountPay);
		acountPay.answer = async (request) => {
			const { method, timeout = 0 } = request;
			const takes = method === 'GET' ? 6_500 : 1_500;
			now += Math.min(takes, timeout);
			const answered = await answer(request);
			if (takes > timeout) throw Object.assign(new Error('timeout'), { code: 'ECONNABORTED' });
			return answered;
		};
		for (let delivery = 0; delivery < 8; delivery++) {
			now += 900_000;
			await world.pay(process);
		}
		expect(acountPay.own).toHaveLength(1);
		expect(await world.pay(process)).toBe(1);
	});
});

describe('a publication', () => {
	it('fails when AcountPay registers the webhook as inactive, and the next one registers it anew', async () => {
		const world = new World(true);
		const [process] = world.processes;
		world.acountPay.fault = 'inactive';
		expect(await world.publish(process)).toBe(false);
		expect(world.lastError).toMatch(
			/^AcountPay registered webhook 2, but as inactive\. AcountPay events won't start this workflow until its webhook is registered\./,
		);
		world.acountPay.fault = undefined;
		expect(await world.publish(process)).toBe(true);
		expect(await world.pay(process)).toBe(1);
		expect(world.acountPay.own).toMatchObject([{ id: 3, status: 'active' }]);
	});

	it.each(['failing list', 'incomplete list'] as const)(
		'with a Webhook Secret fails when nothing says what is registered: %s',
		async (wrong) => {
			const world = new World(true);
			world.webhookSecret = 'whsec_of_something_else';
			world.acountPay.fault = wrong;
			expect(await world.publish(world.processes[0])).toBe(false);
			world.acountPay.fault = undefined;
			expect(await world.publish(world.processes[0])).toBe(true);
			expect(await world.pay(world.processes[0])).toBe(1);
		},
	);

	it('with a Webhook Secret says what to do when its own webhook may have been lost, and so does a delivery', async () => {
		const world = new World(true);
		world.webhookSecret = 'whsec_of_something_else';
		const process = await publishThenForget(world);
		for (const begin of ['publish', 'deliver']) {
			world.log.length = 0;
			if (begin === 'publish') await world.publish(process);
			else expect(await world.pay(process)).toBe(0);
			expect(world.log[0]).toMatch(
				/If that is not the secret of .*, remove 2 in the AcountPay Partner Dashboard, then unpublish and publish/,
			);
		}
		expect(world.acountPay.own).toHaveLength(1);
	});

	it('that n8n repeats leaves three webhooks an hour at most when AcountPay does not say that it registered them', async () => {
		const world = new World(false);
		const [process] = world.processes;
		world.acountPay.fault = 'lost response';
		for (let time = 0; time < 30; time++) {
			now += MINUTE;
			expect(await world.publish(process)).toBe(false);
			// Until the hour is over, a response of AcountPay changes nothing.
			if (time < 3) expect(world.lastError).toContain('When AcountPay responds, unpublish');
			else
				expect(world.lastError).toMatch(/3 times within an hour, .* Try again in an hour: unpub/);
		}
		expect(world.acountPay.own).toHaveLength(3);
		world.acountPay.fault = undefined;
		now += HOUR;
		expect(await world.publish(process)).toBe(true);
		expect(await world.pay(process)).toBe(1);
	});

	it('that is under way is waited for by deliveries, which then fit what it has registered', async () => {
		const world = new World(true, [3]);
		const [process] = world.processes;
		await world.publish(process);
		world.acountPay.webhooks.length = 1;
		const published = world.publish(process);
		const noise = world.deliver(process, 'x');
		expect([await published, await noise]).toEqual([true, false]);
		expect(world.acountPay.calls.filter((call) => call.startsWith('POST'))).toHaveLength(2);
		expect(await world.pay(process)).toBe(1);
	});
});

describe('a clock that was set back', () => {
	it.each([1, 24 * 60])(
		'by %i minutes puts off neither a look at AcountPay nor a publication',
		async (minutes) => {
			const world = new World(true);
			const [process] = world.processes;
			await world.publish(process);
			await world.deliver(process, 'x');
			world.acountPay.webhooks.length = 1;
			now -= minutes * MINUTE;
			await world.deliver(process, 'x');
			expect(world.acountPay.own).toHaveLength(1);

			world.acountPay.webhooks.length = 1;
			world.acountPay.fault = 'lost response';
			for (let time = 0; time < 3; time++) expect(await world.publish(process)).toBe(false);
			world.acountPay.fault = undefined;
			expect(await world.publish(process)).toBe(false);
			now -= minutes * MINUTE;
			expect(await world.publish(process)).toBe(true);
			expect(await world.pay(process)).toBe(1);
		},
	);
});

describe('a secret that was found in a list', () => {
	it('does not replace that of a webhook that was registered later', async () => {
		const world = new World(true);
		const [process] = world.processes;
		await world.publish(process);
		const [webhook] = world.acountPay.own;
		webhook.secret = `whsec_${createHmac('sha256', 'rotated').digest('hex').slice(0, 48)}`;
		world.acountPay.showsSecrets = true;
		await world.deliver(process, 'x');
		world.acountPay.webhooks.length = 1;
		await world.publish(process);
		expect(await world.deliver(process, webhook.secret)).toBe(false);
		expect(await world.pay(process)).toBe(1);
	});
});

describe('unpublishing', () => {
	it('removes the webhook that is in use, though n8n has put back a record of another URL', async () => {
		const world = new World(true);
		const [process] = world.processes;
		world.url = URL_OF_TRIGGER.replace('a-1', 'a-0');
		await world.publish(process);
		const older = structuredClone(world.staticData);
		world.url = URL_OF_TRIGGER;
		await world.publish(process);
		expect(world.acountPay.own).toHaveLength(1);
		world.versions.push(older);
		await world.unpublish(process);
		expect(world.acountPay.own).toEqual([]);
		expect(world.acountPay.webhooks).toHaveLength(2);
		expect(world.log.at(-1)).toContain("it is not this n8n's URL");
	});
});
