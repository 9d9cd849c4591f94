import { startSandbox } from '../../sandbox';
import { http, partnerOf } from './client';

it('the option extend adds hooks and routes, behind the guard and before the API', async () => {
	let seen = 0;
	const sandbox = await startSandbox({
		extend(app) {
			app.get('/seen', async () => ({ seen }));
			app.addHook('preHandler', async ({ url }, reply) => {
				if (!url.startsWith('/v1/partner/payments')) return;
				if (++seen > 1) await reply.code(503).send();
			});
		},
	});
	try {
		const partner = await partnerOf(sandbox);
		expect((await partner.create()).status).toBe(201);
		expect((await partner.create()).status).toBe(503);
		expect(sandbox.payments).toHaveLength(1);
		expect((await http.get(`${sandbox.url}/seen`)).data).toEqual({ seen: 2 });
		const foreign = { headers: { host: 'example.com' } };
		expect((await http.get(`${sandbox.url}/seen`, foreign)).status).toBe(421);
	} finally {
		await sandbox.close();
	}
});
