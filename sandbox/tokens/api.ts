import formbody from '@fastify/formbody';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import QRCode from 'qrcode';

import { apiError, Refusal, tokenError } from '../answer';
import { pagePath, PROCESSING_MS, type Course, type Payment, type Payments } from '../payments';
import { bodyComplaints, send, type Handler, type Operation, type Subject } from '../requests';
import { filledText, text, type BodySchema } from '../validation';
import type { OAuth } from './oauth';

/** The documented test merchants. Any other merchant's payments wait for the customer. */
export const TEST_MERCHANTS: Record<string, Course> = {
	test_merchant_success: { end: 'completed', afterMs: PROCESSING_MS },
	test_merchant_fail: { end: 'failed', afterMs: PROCESSING_MS },
	test_merchant_slow: { end: 'completed', afterMs: 30_000 },
};

/** The documented values of the header X-Mock-Payment, which goes before the test merchant. */
export const MOCK_PAYMENTS: Record<string, Course> = {
	true: { end: 'completed', afterMs: 0 },
	fail: { end: 'failed', afterMs: 0 },
	delay: { end: 'completed', afterMs: 10_000 },
};

/** How a merchant's payments go on by themselves; undefined where they wait for the customer. */
export const courseOf = (merchant: string): Course | undefined =>
	Object.hasOwn(TEST_MERCHANTS, merchant) ? TEST_MERCHANTS[merchant] : undefined;

/**
 * A create's body. Documented: the names and types of amount, referenceNumber (both required) and
 * webhookUrl. Assumed: the other fields as input. Unknown fields are accepted.
 */
const CREATE: BodySchema = {
	type: 'object',
	properties: {
		amount: { type: 'number', minimum: 0.01, format: 'amount' },
		referenceNumber: filledText,
		webhookUrl: { type: 'string', format: 'webUrl' },
		currency: { type: 'string', format: 'currency' },
		description: text,
		metadata: { type: 'object' },
	},
	required: ['amount', 'referenceNumber'],
};

/** A create's body that fits the schema. */
interface CreateBody {
	amount: number;
	referenceNumber: string;
	webhookUrl?: string;
	currency?: string;
	description?: string;
	metadata?: Record<string, unknown>;
}

/** What the token endpoint says with a status when a fault doesn't say it. */
const TOKEN_ERRORS: Record<number, string> = {
	400: 'invalid_grant',
	401: 'invalid_client',
	429: 'rate_limit_exceeded',
};

/** What the API's routes work with. */
export interface TokenParts {
	oauth: OAuth;
	payments: Payments;
	/** The sandbox's address, known once it listens. */
	url: () => string;
}

/**
 * X-Merchant-Client-Id, which every call for payments must carry.
 * @throws Refusal with 400 (assumed) when it is missing or blank
 */
function merchantOf({ headers }: FastifyRequest): string {
	const merchant = headers['x-merchant-client-id'];
	if (typeof merchant === 'string' && merchant.trim() !== '') return merchant;
	throw new Refusal(apiError(400, 'X-Merchant-Client-Id header is required'));
}

/** A payment as create and get answer it. */
function presentPayment(baseUrl: string, payment: Payment): Record<string, unknown> {
	return {
		// Documented: that the answer holds qrCodeUrl, and what an id looks like.
		qrCodeUrl: `${baseUrl}/v1/partner/payments/${payment.id}/qr`,
		// Assumed: that there are an id, a URL to pay at and a status, and what they are called.
		id: payment.id,
		paymentId: payment.id,
		status: payment.status,
		paymentUrl: baseUrl + pagePath(payment),
		// Assumed: everything else.
		amount: payment.amount,
		currency: payment.currency,
		referenceNumber: payment.referenceNumber,
		description: payment.description,
		metadata: payment.metadata,
		createdAt: payment.createdAt,
		expiresAt: payment.expiresAt,
		paidAt: payment.paidAt,
	};
}

/** The endpoints of the API with access tokens. */
export function tokenOperations({ oauth, payments, url }: TokenParts) {
	const subject: Subject = ({ headers, params, body }) => {
		const { id } = params as { id?: string };
		return {
			merchant: headers['x-merchant-client-id'] as string | undefined,
			reference:
				id === undefined
					? (body as { referenceNumber?: string } | undefined)?.referenceNumber
					: payments.find(id)?.referenceNumber,
		};
	};

	/** The payment that the path names, if it is this partner's and this merchant's. */
	function ownPayment(request: FastifyRequest): Payment {
		const partner = oauth.partner(request.headers);
		const merchant = merchantOf(request);
		const payment = payments.find((request.params as { id: string }).id);
		if (payment?.partner === partner && payment.merchant === merchant) return payment;
		throw new Refusal(apiError(404, 'Payment not found'));
	}

	const grant: Handler = ({ headers, body }) =>
		oauth.grant(headers, (body ?? {}) as Record<string, unknown>);
	const create: Handler = (request) => {
		const partner = oauth.partner(request.headers);
		const merchant = merchantOf(request);
		const mock = request.headers['x-mock-payment'] as string | undefined;
		const isMock = mock !== undefined && Object.hasOwn(MOCK_PAYMENTS, mock);
		const wrong = bodyComplaints(request, CREATE);
		if (mock !== undefined && !isMock) wrong.push('X-Mock-Payment must be true, fail or delay');
		if (wrong.length > 0) throw new Refusal(apiError(400, wrong.length > 1 ? wrong : wrong[0]));
		const {
			amount,
			referenceNumber,
			webhookUrl,
			currency,
			description,
			metadata,
			...customFields
		} = request.body as CreateBody;
		const known = { amount, referenceNumber, webhookUrl, currency, description, metadata };
		const payment = payments.create(
			{ api: 'tokens', partner, merchant, ...known, customFields },
			isMock ? MOCK_PAYMENTS[mock] : courseOf(merchant),
		);
		return { status: 201, body: presentPayment(url(), payment) };
	};
	const get: Handler = (request) => ({
		status: 200,
		body: presentPayment(url(), ownPayment(request)),
	});
	const qr: Handler = async (request) => ({
		status: 200,
		headers: { 'content-type': 'image/png' },
		body: await QRCode.toBuffer(url() + pagePath(ownPayment(request)), { scale: 8 }),
	});
	return {
		grant: {
			endpoint: 'token',
			handle: grant,
			errorOf: (status) => tokenError(status, TOKEN_ERRORS[status] ?? 'server_error'),
		},
		create: { endpoint: 'create', handle: create, subject },
		get: { endpoint: 'get', handle: get, subject },
		qr: { endpoint: 'qr', handle: qr, subject },
	} satisfies Record<string, Operation>;
}

/** Lets a part of the app speak as the token endpoint does: forms in, its own errors out. */
export async function speakOAuth(app: FastifyInstance): Promise<void> {
	app.removeAllContentTypeParsers();
	await app.register(formbody);
	app.setErrorHandler(async (error: FastifyError, _request, reply) => {
		const status = error.statusCode ?? 500;
		return send(reply, tokenError(status, 'invalid_request', error.message));
	});
}
