import fc from 'fast-check';
import {
	changeWebhook,
	listWebhooks,
	readWebhook,
	readWebhooks,
	registerWebhook,
	removeWebhook,
} from '../../../nodes/shared/api/webhookRegistrations';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const whole = {
	id: 7,
	url: 'https://n8n.example.com/webhook/1',
	events: ['payment.completed'],
	status: 'active',
	secret: 'whsec_0123',
	lastTriggeredAt: null,
};

describe('the requests', () => {
	const target = { url: 'https://n8n.example.com/webhook/1', events: ['payment.failed'] };

	it('are the documented ones, and only the registration is not repeatable', () => {
		const path = '/v1/partner/webhooks';
		expect(listWebhooks()).toEqual({ method: 'GET', path, repeatable: true });
		expect(registerWebhook(target)).toEqual({
			method: 'POST',
			path,
			body: target,
			repeatable: false,
		});
		expect(changeWebhook('7', target)).toEqual({
			method: 'PUT',
			path: `${path}/7`,
			body: target,
			repeatable: true,
		});
		expect(removeWebhook('7')).toEqual({ method: 'DELETE', path: `${path}/7`, repeatable: true });
	});

	it('stay below their path, whatever the ID is', () => {
		expect(removeWebhook('../payments').path).toBe('/v1/partner/webhooks/..%2Fpayments');
	});
});

describe('a webhook in a response', () => {
	const { url, events, secret } = whole;

	it.each([
		[whole, { id: '7', url, events, isActive: true, secret }],
		[
			{ ...whole, id: 'wh_1', status: 'inactive' },
			{ id: 'wh_1', url, events, isActive: false, secret },
		],
		[
			{ ...whole, id: undefined, webhookId: 8 },
			{ id: '8', url, events, isActive: true, secret },
		],
		[
			{ id: 7, url },
			{ id: '7', url, isActive: true, secret: undefined },
		],
		[
			{ id: 7, url, events: 'payment.failed' },
			{ id: '7', url, isActive: true, secret: undefined },
		],
	])('%j', (body, read) => {
		expect(readWebhook(json(body))).toEqual(read);
	});

	it.each([{}, { url }, { id: '' }, { id: null }, [], 'text', null, [whole]])(
		'is not %j',
		(body) => {
			expect(readWebhook(json(body))).toBeUndefined();
		},
	);

	it.each(['', '  ', 'whsec_***', '••••', 'whsec_…1234', 'whsec_...1234', null, 7, {}])(
		'has no secret in %j',
		(shown) => {
			expect(readWebhook(json({ ...whole, secret: shown }))).toMatchObject({ secret: undefined });
		},
	);
});

describe('a list of webhooks', () => {
	it.each([
		[
			[whole, { ...whole, id: 8 }],
			['7', '8'],
		],
		[{ webhooks: [whole] }, ['7']],
		[[], []],
		[[whole, 'text', null, {}], ['7']],
	])('%j', (body, ids) => {
		expect(readWebhooks(json(body))!.map(({ id }) => id)).toEqual(ids);
	});

	it.each([{}, { error: 'none' }, 'text', null, 7])('is not %j', (body) => {
		expect(readWebhooks(json(body))).toBeUndefined();
	});

	it('is read or not, and never throws', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				const body = json(value);
				for (const { id } of readWebhooks(body) ?? []) expect(id).not.toBe('');
				expect(() => readWebhook(body)).not.toThrow();
			}),
		);
	});
});
