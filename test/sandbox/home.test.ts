import { KEY_MERCHANTS, startSandbox, TEST_MERCHANTS, type Sandbox } from '../../sandbox';
import { http, keyPartnerOf, partnerOf } from './client';

let sandbox: Sandbox;
beforeAll(async () => {
	sandbox = await startSandbox();
});
afterEach(() => sandbox.reset());
afterAll(async () => await sandbox.close());

const open = async () => await http.get<string>(`${sandbox.url}/`);

describe('the first page', () => {
	it('says what it is, what it takes, and what its merchants do', async () => {
		const { status, headers, data } = await open();
		expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
		const { credentials, keys, url } = sandbox;
		for (const shown of [
			'AcountPay sandbox',
			...Object.values(credentials),
			...Object.values(keys),
			`<code>${url}</code>`,
			`<code>${url}/v1</code>`,
			...Object.keys(TEST_MERCHANTS),
			...Object.values(KEY_MERCHANTS).map(({ clientId }) => clientId),
			'refused by the bank after 1 s',
			'paid after 30 s',
			'None yet',
		]) {
			expect(data).toContain(shown);
		}
		expect(sandbox.requests).toEqual([]);
	});

	it('lists the payments of both APIs with link and status, newest first', async () => {
		const { id } = (await (await partnerOf(sandbox)).create({ referenceNumber: '<b>1' })).data;
		const { paymentId } = (await keyPartnerOf(sandbox).create()).data;
		sandbox.decline(id);
		const { data } = await open();
		const links = [...data.matchAll(/href="(\/p[^"]*)"/g)].map(([, to]) => to);
		expect(links).toEqual([`/p/${paymentId}`, `/pay/${id}`]);
		for (const shown of ['149.99 DKK', 'ORDER-123', '&lt;b&gt;1', '>failed<', '>pending<']) {
			expect(data).toContain(shown);
		}
		expect(data).not.toContain('None yet');
	});

	it('shows the newest hundred, and says how many there are besides', async () => {
		const partner = keyPartnerOf(sandbox);
		await Promise.all(Array.from({ length: 103 }, async () => await partner.create()));
		const { data } = await open();
		expect(data.match(/href="\/p\//g)).toHaveLength(100);
		expect(data).toContain('And 3 older ones');
	});

	it('links to where a merchant is onboarded', async () => {
		const body = { companyName: 'Café <Nord>', contactEmail: 'nord@example.com' };
		const { data } = await keyPartnerOf(sandbox).call('post', '/merchants', body);
		const html = (await open()).data;
		expect(html).toContain(`<a href="/onboarding/${data.onboardingToken}">Café &lt;Nord&gt;</a>`);
	});
});
