import type { IWebhookFunctions } from 'n8n-workflow';
import {
	answer,
	logUnknownOnce,
	oAuth2Secrets,
	receiveEvent,
	requireWebhookSecret,
} from '../../../../nodes/shared/webhooks/receive';
import { SCHEMES } from '../../../../nodes/shared/webhooks/schemes';
import { contextOf, type Delivery, NOW, signedWithToken } from '../../deliveries';
import { buffer } from '../../support';

describe('a delivery that a node receives', () => {
	const body = buffer({ event: 'payment.completed', data: { paymentId: 'pay_1' } });
	const received = (
		delivery: Partial<Delivery> = {},
		credential: Promise<object> = Promise.resolve({ webhookSecret: ' whsec ' }),
	) => {
		jest.spyOn(Date, 'now').mockReturnValue(NOW);
		return contextOf(
			{ ...signedWithToken(body, 'whsec'), ...delivery },
			async () => await credential,
		);
	};
	const receiveIn = async (context: IWebhookFunctions) =>
		(await receiveEvent(context, SCHEMES.oAuth2, oAuth2Secrets))?.event;

	it('is handed on when it is signed, and is not answered yet', async () => {
		const { context, answered, logged } = received();
		expect(await receiveIn(context)).toEqual(JSON.parse(body.toString()));
		expect([answered, logged]).toEqual([[], []]);
	});

	it('is read first where n8n has not read it', async () => {
		const delivery: Partial<Delivery> = { rawBody: undefined, readable: true };
		const { context } = received(delivery);
		const request = context.getRequestObject();
		request.readRawBody = async () => {
			request.rawBody = body;
		};
		expect(await receiveIn(context)).toMatchObject({ event: 'payment.completed' });
	});

	it.each<[string, Partial<Delivery>, object, number, string]>([
		['unsigned', { headers: {} }, { webhookSecret: 'whsec' }, 401, 'no timestamp'],
		[
			'a form, of which nothing is left',
			{ rawBody: undefined, readable: false },
			{ webhookSecret: 'whsec' },
			401,
			'its signature is wrong',
		],
		[
			'broken off',
			{
				rawBody: undefined,
				readable: true,
				readRawBody: async () => await Promise.reject(new Error('aborted')),
			},
			{ webhookSecret: 'whsec' },
			400,
			'its body broke off',
		],
		['without a secret', {}, {}, 401, 'the credential has no Webhook Secret'],
		['without a credential', {}, new Error('gone'), 500, 'the credential could not be read'],
	])('is refused, with a line in the log: %s', async (_what, delivery, credential, status, why) => {
		const { context, answered, logged } = received(
			delivery,
			credential instanceof Error
				? Promise.resolve().then(() => {
						throw credential;
					})
				: Promise.resolve(credential),
		);
		expect(await receiveIn(context)).toBeUndefined();
		expect(answered).toEqual([status, { result: 'refused' }, 'end']);
		expect(logged).toEqual([
			expect.stringMatching(`^AcountPay node 'Wait' refused a webhook: .*${why}$`),
		]);
	});

	it('is ignored when its kind is not known, with one line in the log', async () => {
		const unknown = buffer({ event: 'webhook.test', data: {} });
		const lines: string[] = [];
		for (let time = 0; time < 3; time++) {
			const { context, answered, logged } = received(signedWithToken(unknown, 'whsec'));
			expect(await receiveIn(context)).toBeUndefined();
			expect(answered).toEqual([200, { result: 'ignored' }, 'end']);
			lines.push(...logged);
		}
		expect(lines).toEqual([expect.stringContaining(`ignores "webhook.test"`)]);
	});

	it.each(['payment.paid', 'Payment.Completed', 'payment.completed ', 'constructor'])(
		'is named in the log once when a node ignores it and its name is not known: %j',
		(name) => {
			const { context, logged } = received();
			const { events } = SCHEMES.oAuth2;
			for (const event of [...events, name, name]) logUnknownOnce(context, event, events);
			expect(logged).toEqual([expect.stringContaining(`ignores ${JSON.stringify(name)}: `)]);
		},
	);

	it('is answered by the node itself', () => {
		const { context, answered } = received();
		expect(answer(context, 200, 'accepted')).toEqual({ noWebhookResponse: true });
		expect(answered).toEqual([200, { result: 'accepted' }, 'end']);
	});

	it.each([[{ webhookSecret: ' ' }], [{}]])('is never to come with %j', async (credential) => {
		const { context } = received({}, Promise.resolve(credential));
		const problem = await requireWebhookSecret(context as never).catch((error: Error) => error);
		expect(problem).toMatchObject({
			message: expect.stringMatching(/^The credential has no Webhook Secret\. .*fill in/),
		});
	});

	it('may come when there is a secret', async () => {
		await requireWebhookSecret(received().context as never);
	});
});
