import { SIGNATURE } from '../../../../nodes/shared/api/events';
import { OAUTH2_HOSTS } from '../../../../nodes/shared/api/hosts';
import { SCHEMES } from '../../../../nodes/shared/webhooks/schemes';
import {
	credentialFor,
	READ_EVERY,
	readWebhookCredential,
	TRUSTED_FOR,
} from '../../../../nodes/shared/webhooks/secrets';
import { contextOf, nextWorkflow, NOW, receive, SECONDS, signedWithToken } from '../../deliveries';
import { buffer } from '../../support';

const body = buffer({ event: 'payment.completed', data: { paymentId: 'pay_1' } });

describe('what a credential says of its webhooks', () => {
	const read = async (credential: object) =>
		await readWebhookCredential(
			contextOf({ headers: {}, rawBody: body }, async () => credential).context,
			'oAuth2',
		);

	it('is its secrets and where it sends requests', async () => {
		const credential = {
			environment: 'production',
			clientSecret: 'client',
			webhookSecret: ' hook ',
		};
		expect(await read(credential)).toEqual({
			environment: OAUTH2_HOSTS.production,
			clientSecret: 'client',
			webhookSecret: 'hook',
		});
	});

	it('is empty where it has none: an empty secret counts as none', async () => {
		expect(await read({ environment: 'custom', baseUrl: 'ftp://example.com' })).toEqual({
			environment: '',
			clientSecret: '',
			webhookSecret: '',
		});
	});
});

describe('the secret', () => {
	const seconds = (now: number) => String(Math.floor(now / 1000));
	/** A node whose credential is read from `current`. */
	function node(secret: string) {
		const state = { current: secret, reads: 0, fails: false };
		const readSecret = async () => {
			state.reads++;
			if (state.fails) throw new Error('gone');
			return state.current;
		};
		const send = async (key: string, now: number) => {
			const delivery = signedWithToken(body, key, seconds(now));
			return (await receive(SCHEMES.oAuth2, delivery, readSecret, now)).status;
		};
		return { state, send, readSecret };
	}

	it('is not read for what the headers refuse', async () => {
		const { state, readSecret } = node('key');
		const right = signedWithToken(body, 'key').headers;
		for (const headers of [
			{},
			{ ...right, [SIGNATURE.timestampHeader]: undefined },
			{ ...right, [SIGNATURE.timestampHeader]: 'now' },
			{ ...right, [SIGNATURE.timestampHeader]: String(SECONDS - 301) },
			{ ...right, [SIGNATURE.signatureHeader]: undefined },
			{ ...right, [SIGNATURE.signatureHeader]: 'zz' },
			{ ...right, [SIGNATURE.signatureHeader]: ['a', 'b'] },
		]) {
			const delivery = { headers, rawBody: body };
			expect((await receive(SCHEMES.oAuth2, delivery, readSecret)).status).toBe(401);
		}
		const keyed = { headers: { 'x-webhook-signature': 'zz' }, rawBody: body };
		expect((await receive(SCHEMES.apiKey, keyed, readSecret)).status).toBe(401);
		expect(state.reads).toBe(0);
	});

	it('is read once for many deliveries, and again after ten seconds', async () => {
		const { state, send } = node('key');
		expect(TRUSTED_FOR).toBe(10_000);
		for (const ms of [0, 1, 5_000, 9_999]) expect(await send('key', NOW + ms)).toBeUndefined();
		expect(state.reads).toBe(1);
		expect(await send('key', NOW + 10_000)).toBeUndefined();
		expect(state.reads).toBe(2);
	});

	it('is read once for deliveries at the same moment, right and wrong ones', async () => {
		const { state, send } = node('key');
		const statuses = await Promise.all(
			['key', 'other', 'key', 'other'].map(async (key) => await send(key, NOW)),
		);
		expect(statuses).toEqual([undefined, 401, undefined, 401]);
		expect(state.reads).toBe(1);
	});

	it('is read at most every five seconds, however much noise comes', async () => {
		const { state, send } = node('key');
		expect(READ_EVERY).toBe(5_000);
		for (let ms = 0; ms < 60_000; ms += 100) {
			const keys = ms % 1_000 ? ['noise'] : ['noise', 'noise', 'key'];
			const statuses = await Promise.all(keys.map(async (key) => await send(key, NOW + ms)));
			expect(statuses).toEqual(keys.map((key) => (key === 'key' ? undefined : 401)));
		}
		expect(state.reads).toBe(12);
	});

	it('is read once more for all deliveries that waited for one that is outdated', async () => {
		const { state } = node('old');
		let end = () => {};
		const ended = new Promise<void>((resolve) => (end = resolve));
		const slowly = async () => {
			const { current } = state;
			if (++state.reads === 1) await ended;
			return current;
		};
		const delivery = signedWithToken(body, 'new', seconds(NOW));
		const all = [1, 2, 3].map(async () => await receive(SCHEMES.oAuth2, delivery, slowly));
		await new Promise(setImmediate);
		state.current = 'new';
		jest.spyOn(Date, 'now').mockReturnValue(NOW + READ_EVERY);
		end();
		expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array(3).fill(undefined));
		expect(state.reads).toBe(2);
	});

	it('counts within five seconds when it was replaced, and the old one no more', async () => {
		const { state, send } = node('old');
		expect(await send('old', NOW)).toBeUndefined();
		state.current = 'new';
		expect(await send('new', NOW + READ_EVERY)).toBeUndefined();
		expect(await send('old', NOW + READ_EVERY + 1)).toBe(401);
		expect(state.reads).toBe(2);
	});

	it.each([1, 60 * 60_000])(
		'is read anew when the clock was set back by %i ms: nobody knows how long ago it was read',
		async (back) => {
			const { state, send } = node('old');
			expect(await send('old', NOW)).toBeUndefined();
			state.current = 'new';
			expect(await send('old', NOW - back)).toBe(401);
			expect(await send('new', NOW - back)).toBeUndefined();
			state.current = 'newer';
			expect(await send('newer', NOW - 2 * back)).toBeUndefined();
		},
	);

	it('is accepted for ten seconds at most after it was removed or replaced', async () => {
		for (const current of ['', 'new']) {
			nextWorkflow();
			const { state, send } = node('old');
			await send('old', NOW);
			state.current = current;
			expect(await send('old', NOW + TRUSTED_FOR - 1)).toBeUndefined();
			expect(await send('old', NOW + TRUSTED_FOR)).toBe(401);
			expect(await send('', NOW + TRUSTED_FOR)).toBe(401);
		}
	});

	it('that can not be read is asked for again with the next delivery', async () => {
		const { state, send } = node('key');
		state.fails = true;
		expect(await Promise.all([send('key', NOW), send('key', NOW)])).toEqual([500, 500]);
		expect(state.reads).toBe(1);
		state.fails = false;
		expect(await send('key', NOW)).toBeUndefined();
	});

	it('of one node says nothing about another workflow', async () => {
		const one = node('one');
		expect(await one.send('one', NOW)).toBeUndefined();
		nextWorkflow();
		const two = node('two');
		expect(await two.send('one', NOW)).toBe(401);
		expect(await two.send('two', NOW)).toBeUndefined();
	});
});

describe('reading a secret that takes long', () => {
	/** The readings that were begun, to be ended by the test. */
	let readings: Array<{ resolve: (secret: string) => void; reject: (error: Error) => void }>;
	beforeEach(() => {
		jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'queueMicrotask'] });
		readings = [];
	});
	afterEach(() => {
		jest.useRealTimers();
	});

	const read = async () => ({
		webhookSecret: await new Promise<string>((resolve, reject) =>
			readings.push({ resolve, reject }),
		),
	});
	const { context } = contextOf({ headers: {}, rawBody: body }, read);
	const other = { ...context, getNode: () => ({ ...context.getNode(), id: 'another node' }) };
	const secretOf = async (maxAge: number, whose = context) =>
		(await credentialFor(whose, { authentication: 'oAuth2' }, maxAge)).webhookSecret;
	const later = (ms: number) => jest.setSystemTime(Date.now() + ms);

	it('is shared by those that come meanwhile', async () => {
		const all = [TRUSTED_FOR, TRUSTED_FOR, READ_EVERY].map(async (age) => await secretOf(age));
		readings[0].resolve('key');
		expect(await Promise.all(all)).toEqual(['key', 'key', 'key']);
		expect(readings).toHaveLength(1);
	});

	it('is begun again once it is too old, and shared by all for which it is', async () => {
		const first = secretOf(TRUSTED_FOR);
		later(READ_EVERY - 1);
		readings[0].resolve('old');
		expect(await Promise.all([first, secretOf(READ_EVERY)])).toEqual(['old', 'old']);
		later(1);
		expect(await secretOf(TRUSTED_FOR)).toBe('old');
		const both = [secretOf(READ_EVERY), secretOf(READ_EVERY)];
		readings[1].resolve('new');
		expect(await Promise.all(both)).toEqual(['new', 'new']);
		expect(await secretOf(TRUSTED_FOR)).toBe('new');
		expect(readings).toHaveLength(2);
	});

	it('forgets nothing that was read after it when it fails', async () => {
		const first = secretOf(TRUSTED_FOR);
		later(TRUSTED_FOR);
		const second = secretOf(TRUSTED_FOR);
		readings[1].resolve('key');
		expect(await second).toBe('key');
		readings[0].reject(new Error('gone'));
		await expect(first).rejects.toThrow('gone');
		expect(await secretOf(TRUSTED_FOR)).toBe('key');
		expect(readings).toHaveLength(2);
	});

	it('is forgotten when it fails, so that the next delivery reads again', async () => {
		const first = secretOf(TRUSTED_FOR);
		readings[0].reject(new Error('gone'));
		await expect(first).rejects.toThrow('gone');
		const second = secretOf(TRUSTED_FOR);
		readings[1].resolve('key');
		expect(await second).toBe('key');
	});

	it('of another key neither ends nor serves it', async () => {
		const both = () => Promise.all([secretOf(TRUSTED_FOR), secretOf(TRUSTED_FOR, other)]);
		const first = both();
		expect(readings).toHaveLength(2);
		readings[0].resolve('one');
		readings[1].resolve('other');
		expect(await first).toEqual(['one', 'other']);
		later(TRUSTED_FOR - 1);
		expect(await both()).toEqual(['one', 'other']);
		expect(readings).toHaveLength(2);
	});
});
