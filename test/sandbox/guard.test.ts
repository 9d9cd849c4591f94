import { startSandbox, type Sandbox } from '../../sandbox';
import { askToken, http, keyPartnerOf, partnerOf } from './client';

let sandbox: Sandbox;
let port: string;
beforeAll(async () => {
	sandbox = await startSandbox({ control: true });
	({ port } = new URL(sandbox.url));
});
afterEach(() => sandbox.reset());
afterAll(async () => await sandbox.close());

const ask = async (method: string, path: string, headers: Record<string, string>, data?: unknown) =>
	await http.request({ method, url: sandbox.url + path, headers, data });

describe('the name that the sandbox is called by', () => {
	it.each(['localhost', 'LOCALHOST:1', '127.0.0.1', '127.1.2.3:80', '[::1]:4040'])(
		'may be %s',
		async (Host) => {
			expect((await ask('get', '/', { Host })).status).toBe(200);
		},
	);

	it.each([
		'evil.example',
		'evil.example:4040',
		'127.0.0.1.evil.example',
		'localhost.evil.example',
		'evil.example:127.0.0.1',
		'10.0.0.1',
		'[::2]',
	])('may not be %s, for page, API and control alike', async (Host) => {
		for (const path of ['/', '/pay/x', '/v1/partner/profile', '/_sandbox/payments', '/nothing']) {
			const { status, data } = await ask('get', path, { Host });
			expect([status, data.statusCode]).toEqual([421, 421]);
		}
		expect((await ask('post', '/_sandbox/reset', { Host })).status).toBe(421);
		expect(sandbox.requests).toEqual([]);
	});
});

describe('another web page', () => {
	const foreign = (): Array<Record<string, string>> => [
		{ Origin: 'https://evil.example' },
		{ Origin: 'null' },
		{ Origin: `http://localhost:${Number(port) + 1}` },
		{ Origin: `https://127.0.0.1:${port}` },
		{ Origin: `http://localhost.evil.example:${port}` },
		{ 'Sec-Fetch-Site': 'cross-site' },
		{ 'Sec-Fetch-Site': 'same-site' },
	];

	it('can neither pay nor decline', async () => {
		const { id } = (await (await partnerOf(sandbox)).create()).data;
		const { paymentId } = (await keyPartnerOf(sandbox).create()).data;
		for (const headers of foreign()) {
			for (const path of [`/pay/${id}`, `/p/${paymentId}`]) {
				expect((await ask('post', `${path}/pay`, headers, '')).status).toBe(403);
				expect((await ask('post', `${path}/decline`, headers, '')).status).toBe(403);
			}
		}
		expect(sandbox.payments.map(({ status }) => status)).toEqual(['pending', 'pending']);
	});

	it('can not onboard a merchant', async () => {
		const body = { companyName: 'Nord', contactEmail: 'nord@example.com' };
		const { data } = await keyPartnerOf(sandbox).call('post', '/merchants', body);
		for (const headers of foreign()) {
			const path = `/onboarding/${data.onboardingToken}/activate`;
			expect((await ask('post', path, headers, '')).status).toBe(403);
		}
		expect(sandbox.merchant(data.merchantId).status).toBe('pending');
	});

	it('can not reach the control API, reading included', async () => {
		await (await partnerOf(sandbox)).create();
		for (const headers of foreign()) {
			expect((await ask('post', '/_sandbox/reset', headers)).status).toBe(403);
			expect((await ask('get', '/_sandbox/requests', headers)).status).toBe(403);
			expect((await ask('post', '/_sandbox/faults', headers, { status: 500 })).status).toBe(403);
		}
		expect([sandbox.payments.length, sandbox.faults.list()]).toEqual([1, []]);
	});

	it('can not reach it under another spelling of its path either', async () => {
		await (await partnerOf(sandbox)).create();
		for (const headers of foreign()) {
			for (const path of [
				'/%5Fsandbox/requests',
				'/%5f%73andbox/requests',
				'/_sandbox/%72equests',
			]) {
				const { status, data } = await ask('get', path, headers);
				expect([path, status, data.statusCode]).toEqual([path, 403, 403]);
			}
		}
	});

	it('can link to the pages', async () => {
		const { id } = (await (await partnerOf(sandbox)).create()).data;
		for (const headers of foreign()) {
			expect((await ask('get', `/pay/${id}`, headers)).status).toBe(200);
			expect((await ask('get', '/', headers)).status).toBe(200);
		}
	});
});

it("lets the sandbox's own pages pay, under every name of this machine", async () => {
	const partner = await partnerOf(sandbox);
	for (const name of ['127.0.0.1', 'localhost', '[::1]']) {
		const { id } = (await partner.create()).data;
		const headers = { Origin: `http://${name}:${port}`, 'Sec-Fetch-Site': 'same-origin' };
		expect((await ask('post', `/pay/${id}/pay`, headers, '')).status).toBe(303);
	}
	expect((await askToken(sandbox)).status).toBe(200);
});

it.each([
	['application/x-www-form-urlencoded', 'status=500'],
	['text/plain', '{"status":500}'],
	['multipart/form-data; boundary=x', '--x--'],
])('takes no %s on the control API', async (type, body) => {
	const headers = { 'Content-Type': type };
	for (const path of ['/_sandbox/faults', '/_sandbox/reset']) {
		expect((await ask('post', path, headers, body)).status).toBe(415);
	}
	expect(sandbox.faults.list()).toEqual([]);
});
