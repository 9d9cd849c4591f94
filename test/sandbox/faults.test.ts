import { startSandbox, type Fault, type Sandbox } from '../../sandbox';
import { askToken, partnerOf } from './client';

let sandbox: Sandbox;
let partner: Awaited<ReturnType<typeof partnerOf>>;
beforeAll(async () => {
	sandbox = await startSandbox();
});
beforeEach(async () => {
	partner = await partnerOf(sandbox);
});
afterEach(() => sandbox.reset());
afterAll(async () => await sandbox.close());

/** What a create comes to: its status, or the code of its error. */
async function outcome(request: Promise<{ status: number }>): Promise<number | string> {
	try {
		return (await request).status;
	} catch (error) {
		return (error as { code: string }).code;
	}
}

describe('what a fault answers', () => {
	it('is a status with the usual body, and no payment is made', async () => {
		sandbox.faults.add({ status: 503, headers: { 'Retry-After': '7' } });
		const { status, headers, data } = await partner.create();
		expect([status, headers['retry-after'], data]).toEqual([
			503,
			'7',
			{ message: 'Service Unavailable', statusCode: 503 },
		]);
		expect(sandbox.payments).toEqual([]);
	});

	it.each([
		[429, 'rate_limit_exceeded'],
		[401, 'invalid_client'],
		[400, 'invalid_grant'],
		[500, 'server_error'],
	])('is, for the token endpoint and %d, the code %s', async (status, error) => {
		sandbox.faults.add({ match: { endpoint: 'token' }, status });
		const answer = await askToken(sandbox);
		expect([answer.status, answer.data]).toEqual([status, { error }]);
	});

	it('is a body of any kind', async () => {
		sandbox.faults.add({ status: 502, body: '<h1>Bad gateway</h1>' });
		const html = await partner.create();
		expect(html.headers['content-type']).toContain('text/html');
		expect(html.data).toBe('<h1>Bad gateway</h1>');

		sandbox.faults.add({ status: 422, body: { errors: [{ message: 'no' }] } });
		expect((await partner.create()).data).toEqual({ errors: [{ message: 'no' }] });

		sandbox.faults.add({ status: 500, body: '' });
		const empty = await partner.create();
		expect([empty.data, empty.headers['content-type']]).toEqual(['', undefined]);

		sandbox.faults.add({ body: '{"broken', headers: { 'Content-Type': 'application/json' } });
		const broken = await partner.create();
		expect([broken.status, broken.data]).toEqual([200, '{"broken']);
		expect(sandbox.payments).toEqual([]);
	});

	it('is the real one with other headers', async () => {
		sandbox.faults.add({ headers: { 'X-Strange': 'yes' } });
		const { status, headers, data } = await partner.create();
		expect([status, headers['x-strange'], data.id]).toEqual([201, 'yes', sandbox.payments[0].id]);
		sandbox.faults.add({ headers: { 'X-Strange': 'yes' } });
		expect((await partner.qr(data.id)).headers).toMatchObject({
			'content-type': 'image/png',
			'x-strange': 'yes',
		});
	});

	it.each([
		[{}, 307],
		[{ status: 302 }, 302],
	])('is a redirect with %j', async (more, status) => {
		sandbox.faults.add({ redirectTo: 'http://127.0.0.1:9/else', ...more });
		const answer = await partner.create();
		expect([answer.status, answer.headers.location]).toEqual([status, 'http://127.0.0.1:9/else']);
		expect(sandbox.payments).toEqual([]);
	});

	it('comes late, when the payment has long been made', async () => {
		sandbox.faults.add({ latencyMs: 150 });
		expect(await outcome(partner.create({}, {}, 50))).toBe('ECONNABORTED');
		expect(sandbox.payments).toHaveLength(1);
		sandbox.faults.add({ latencyMs: 150 });
		const start = Date.now();
		expect(await outcome(partner.create())).toBe(201);
		expect(Date.now() - start).toBeGreaterThanOrEqual(145);
	});

	it.each([
		[{ status: 500 }, 500],
		[{ redirectTo: '/else' }, 307],
		[{ body: { error: 'odd' } }, 201],
		[{ reset: 'before' }, 'ECONNRESET'],
	] as Array<[Fault, number | string]>)(
		'can hide that the payment was made: %j',
		async (fault, came) => {
			sandbox.faults.add({ ...fault, made: true });
			expect(await outcome(partner.create())).toBe(came);
			expect(sandbox.payments).toHaveLength(1);
		},
	);

	it.each([
		['before', 0],
		['after', 1],
	] as const)('is a connection reset %s the payment was made', async (reset, made) => {
		sandbox.faults.add({ reset });
		expect(await outcome(partner.create())).toBe('ECONNRESET');
		expect(sandbox.payments).toHaveLength(made);
		expect(sandbox.requests.at(-1)!.status).toBeUndefined();
		expect(sandbox.counts['create none']).toBe(1);
	});

	it('is a cut-off answer to a payment that was made', async () => {
		sandbox.faults.add({ cutOff: true });
		const broken = partner.create();
		await expect(broken).rejects.toThrow(/aborted/);
		expect(sandbox.payments).toHaveLength(1);
		expect((await partner.get(sandbox.payments[0].id)).status).toBe(200);
	});

	it.each([
		[undefined, 0],
		[true, 1],
	])('is none at all, with made: %p', async (made, payments) => {
		sandbox.faults.add({ hang: true, made });
		expect(await outcome(partner.create({}, {}, 100))).toBe('ECONNABORTED');
		expect(sandbox.payments).toHaveLength(payments);
	});

	it('is a refusal of every token given so far', async () => {
		sandbox.faults.add({ revokeToken: true });
		expect((await partner.create()).status).toBe(401);
		expect((await partner.create()).status).toBe(401);
		expect((await (await partnerOf(sandbox)).create()).status).toBe(201);
	});
});

describe('which requests a fault meets', () => {
	it('is one, or as many as wanted', async () => {
		const statuses = async (count: number) => {
			const answers: number[] = [];
			for (let i = 0; i < count; i++) answers.push((await partner.create()).status);
			return answers;
		};
		sandbox.faults.add({ status: 500 });
		expect(await statuses(2)).toEqual([500, 201]);
		sandbox.faults.add({ status: 500, times: 2 });
		expect(await statuses(3)).toEqual([500, 500, 201]);
		sandbox.faults.add({ status: 500, match: { nth: 2 }, times: 2 });
		expect(await statuses(4)).toEqual([201, 500, 500, 201]);
		expect(sandbox.faults.list()).toEqual([]);
		for (const times of [Infinity, 'always'] as const) {
			sandbox.faults.add({ status: 500, times });
			expect(await statuses(3)).toEqual([500, 500, 500]);
			expect(sandbox.faults.list()).toEqual([{ status: 500, times }]);
			sandbox.faults.clear();
			expect(await statuses(1)).toEqual([201]);
		}
	});

	it('is the first that was ordered, of several', async () => {
		sandbox.faults.add({ status: 500 });
		sandbox.faults.add({ status: 502 });
		expect([(await partner.create()).status, (await partner.create()).status]).toEqual([500, 502]);
	});

	it.each([
		[{ endpoint: 'create' }, [500, 200, 200]],
		[{ endpoint: 'get' }, [201, 500, 200]],
		[{ endpoint: 'qr' }, [201, 200, 500]],
		[{ endpoint: 'token' }, [201, 200, 200]],
		[{ endpoint: 'webhook' }, [201, 200, 200]],
		[{ method: 'get' }, [201, 500, 500]],
		[{ path: '/v1/partner/payments' }, [500, 200, 200]],
		[{ path: '/v1/partner/payments/*' }, [201, 500, 500]],
		[{ path: /\/qr$/ }, [201, 200, 500]],
		[{ merchant: 'merchant_abc123' }, [500, 500, 500]],
		[{ merchant: 'merchant_other' }, [201, 200, 200]],
		[{ reference: 'ORDER-123' }, [500, 500, 500]],
		[{ reference: 'ORDER-124' }, [201, 200, 200]],
		[{ endpoint: 'qr', reference: 'ORDER-123' }, [201, 200, 500]],
	] as Array<[Fault['match'], number[]]>)('is chosen by %j', async (match, statuses) => {
		const { id } = (await partner.create()).data;
		sandbox.faults.add({ match, status: 500, times: Infinity });
		const created = await partner.create();
		const read = await partner.get(id);
		const qr = await partner.qr(id);
		expect([created.status, read.status, qr.status]).toEqual(statuses);
	});

	it('is a share of them, the same for the same seed', async () => {
		const failed = async (seed: number) => {
			sandbox.faults.add({ match: { endpoint: 'get' }, rate: 0.3, seed, status: 500 });
			const answers: boolean[] = [];
			for (let i = 0; i < 200; i++) answers.push((await partner.get('pay_x')).status === 500);
			sandbox.faults.clear();
			return answers;
		};
		const [one, again, other] = [await failed(7), await failed(7), await failed(8)];
		expect(again).toEqual(one);
		expect(other).not.toEqual(one);
		const share = one.filter(Boolean).length / one.length;
		expect(share).toBeGreaterThan(0.2);
		expect(share).toBeLessThan(0.4);
	});
});
