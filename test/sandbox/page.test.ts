import { startSandbox, type Sandbox } from '../../sandbox';
import { http, partnerOf } from './client';

let sandbox: Sandbox;
beforeAll(async () => {
	sandbox = await startSandbox();
});
afterEach(() => sandbox.reset());
afterAll(async () => await sandbox.close());

/** A payment's page, and what its buttons post to, in the order in which they are shown. */
async function open(url: string) {
	const { status, headers, data } = await http.get<string>(url);
	const actions = [...data.matchAll(/<form method="post" action="([^"]+)">/g)].map(([, to]) => to);
	return { status, headers, html: data, actions };
}

const create = async (body: object = {}, merchant?: string) =>
	(await (await partnerOf(sandbox, merchant)).create(body)).data;

describe('the page of the customer', () => {
	it('shows what is to be paid, and lets pay or decline', async () => {
		const { id, paymentUrl } = await create({ amount: 1234.5, description: 'Two chairs' });
		const { status, headers, html, actions } = await open(paymentUrl);
		expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
		for (const shown of ['1,234.50 DKK', 'merchant_abc123', 'ORDER-123', 'Two chairs', '30 min']) {
			expect(html).toContain(shown);
		}
		expect(actions).toEqual([`/pay/${id}/pay`, `/pay/${id}/decline`]);
	});

	it('goes from paid to processing to completed', async () => {
		const { id, paymentUrl } = await create();
		const pressed = await http.post(`${paymentUrl}/pay`, '');
		expect([pressed.status, pressed.headers.location]).toEqual([303, `/pay/${id}`]);
		const processing = await open(paymentUrl);
		expect(processing.html).toContain('<h1>Your bank is working on it</h1>');
		expect(processing.html).toContain('http-equiv="refresh" content="1"');
		expect(processing.actions).toEqual([]);
		sandbox.clock.advance(1_000);
		const paid = await open(paymentUrl);
		expect(paid.html).toContain('<h1>Paid</h1>');
		expect(paid.html).not.toContain('refresh');
		expect(paid.actions).toEqual([]);
	});

	it('says that the payment was declined, or came too late', async () => {
		const declined = await create();
		const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
		expect((await http.post(`${declined.paymentUrl}/decline`, '', { headers: form })).status).toBe(
			303,
		);
		expect((await open(declined.paymentUrl)).html).toContain('<h1>Not paid</h1>');
		const late = await create();
		sandbox.clock.advance(30 * 60_000);
		const { html, actions } = await open(late.paymentUrl);
		expect(html).toContain('<h1>Too late</h1>');
		expect(actions).toEqual([]);
		await http.post(`${late.paymentUrl}/pay`, '');
		expect(sandbox.payment(late.id).status).toBe('expired');
	});

	it('shows strange texts as texts', async () => {
		const strange = `<img src=x onerror=alert(1)>&"'`;
		const { paymentUrl } = await create(
			{ referenceNumber: strange, description: strange },
			'<b>M</b>',
		);
		const { html } = await open(paymentUrl);
		expect(html).not.toContain('<img');
		expect(html).not.toContain('<b>');
		expect(html.split('&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;')).toHaveLength(3);
	});

	it('does not exist for an unknown payment', async () => {
		for (const [method, path] of [
			['get', '/pay/pay_unknown'],
			['post', '/pay/pay_unknown/pay'],
			['post', '/pay/pay_unknown/decline'],
		]) {
			const { status, data } = await http.request({ method, url: sandbox.url + path });
			expect(status).toBe(404);
			expect(data).toContain('No such payment');
		}
	});

	it('is not among the recorded requests', async () => {
		const { paymentUrl } = await create();
		const before = sandbox.requests.length;
		await open(paymentUrl);
		await http.post(`${paymentUrl}/pay`, '');
		expect(sandbox.requests).toHaveLength(before);
	});
});
