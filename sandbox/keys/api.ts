import type { FastifyRequest } from 'fastify';

import { apiError, Refusal, type Answer } from '../answer';
import type { Endpoint, Fault } from '../faults';
import { pagePath, type Payments } from '../payments';
import { bodyComplaints, complaintsOf, type Operation, type Subject } from '../requests';
import { courseOf as tokenCourseOf } from '../tokens/api';
import type { BodySchema } from '../validation';
import { partnerOf, type Keys } from './auth';
import { PaymentList } from './list';
import { courseOf, onboardingPath, type Merchant, type Merchants, type Store } from './merchants';
import {
	CREATE_PAYMENT,
	CREATE_STORE,
	FAST_TRACK,
	LIST_PAYMENTS,
	NEW_MERCHANT,
	TEST_MERCHANT,
	WEBHOOK,
} from './schemas';
import type { KeySettings } from './settings';
import type { KeyEvent, Registration, Registrations } from './webhooks';

/** What the API's routes work with. */
export interface KeyParts {
	keys: Keys;
	settings: KeySettings;
	payments: Payments;
	list: PaymentList;
	merchants: Merchants;
	registrations: Registrations;
	/** The partner as it is when the profile is asked for: assumed. */
	startedAt: string;
	/** The sandbox's address, known once it listens. */
	url: () => string;
}

/** The fields of a new payment that fit the schema. */
interface PaymentBody {
	merchantClientId: string;
	amount: number;
	referenceNumber: string;
	description?: string;
	currency?: string;
	storeId?: string;
	registerId?: string;
}

/** The fields of a new merchant that fit the schema. */
interface MerchantBody {
	companyName: string;
	contactEmail: string;
	contactPhone?: string;
	partnerRefId?: string;
}

/** A list's query that fits the schema. */
interface ListQuery {
	merchantClientId?: string;
	status?: string;
	page?: string;
	limit?: string;
}

/** The endpoints of the API with keys. */
export function keyOperations(parts: KeyParts) {
	const { keys, settings, payments, list, merchants, registrations, url } = parts;

	/** A body of this kind. @throws Refusal with 400 and a list of sentences */
	function bodyOf<T>(request: FastifyRequest, schema: BodySchema): T & Record<string, unknown> {
		refuse(bodyComplaints(request, schema));
		return request.body as T & Record<string, unknown>;
	}

	function refuse(sentences: string[]): void {
		const left = settings.allowUnknownFields
			? sentences.filter((it) => !it.startsWith('property '))
			: sentences;
		if (left.length > 0) throw new Refusal(apiError(400, left));
	}

	/** A number in the path. @throws Refusal with 400, as NestJS has it (assumed) */
	function numberIn(request: FastifyRequest): number {
		const { id } = request.params as { id: string };
		if (/^\d+$/.test(id)) return Number(id);
		throw new Refusal(apiError(400, 'Validation failed (numeric string is expected)'));
	}

	function merchantIn(request: FastifyRequest): Merchant {
		const merchant = merchants.find(numberIn(request));
		if (merchant) return merchant;
		throw new Refusal(apiError(404, 'Merchant not found'));
	}

	function registrationIn(request: FastifyRequest): Registration {
		const registration = registrations.find(numberIn(request));
		if (registration) return registration;
		throw new Refusal(apiError(404, 'Webhook not found'));
	}

	/** Assumed: that merchant and store have to be there, and the merchant active. */
	function refuseUnknown({ merchantClientId, storeId }: PaymentBody): void {
		if (settings.allowUnknownMerchants) return;
		const merchant = merchants.find(merchantClientId);
		if (!merchant) throw new Refusal(apiError(404, 'Merchant not found'));
		if (merchant.status !== 'active') throw new Refusal(apiError(400, 'Merchant is not active'));
		if (storeId !== undefined && !merchants.stores(merchant).some(({ id }) => id === storeId)) {
			throw new Refusal(apiError(404, 'Store not found'));
		}
	}

	const presentMerchant = (merchant: Merchant) => {
		const { id, clientId, companyName, contactEmail, contactPhone, status, partnerRefId } =
			merchant;
		const { createdAt } = merchant;
		return {
			[settings.merchantIdKey]: id,
			...{ clientId, companyName, contactEmail, contactPhone, status, partnerRefId, createdAt },
		};
	};
	const presentStore = ({ id, fields, createdAt }: Store) => ({
		[settings.storeIdKey]: id,
		...fields,
		createdAt,
	});
	const presentRegistration = ({ secret, ...registration }: Registration, isNew = false) =>
		isNew || settings.secretShown === 'always' ? { ...registration, secret } : registration;

	function createPayment(request: FastifyRequest, fault?: Fault): Answer {
		const partner = partnerOf(keys, request.headers);
		const body = bodyOf<PaymentBody>(request, CREATE_PAYMENT);
		refuseUnknown(body);
		const {
			merchantClientId: merchant,
			amount,
			referenceNumber,
			description,
			currency,
			storeId,
			registerId,
			...customFields
		} = body;
		const merchantName = merchants.find(merchant)?.companyName ?? merchant;
		const known = { amount, referenceNumber, description, currency, storeId, registerId };
		const payment = payments.create(
			{ api: 'keys', partner, merchant, merchantName, ...known, customFields },
			courseOf(merchant) ?? tokenCourseOf(merchant),
		);
		list.hide(payment, fault?.listLag);
		return {
			status: 201,
			body: {
				paymentId: payment.id,
				paymentUrl: url() + pagePath(payment),
				referenceNumber,
				status: settings.keyStatuses.pending,
				amount,
				currency: payment.currency,
			},
		};
	}

	function listPayments(request: FastifyRequest): Answer {
		partnerOf(keys, request.headers);
		const query = request.query as ListQuery;
		refuse(complaintsOf(request, query, LIST_PAYMENTS));
		const { merchantClientId, status, page = '1', limit = '20' } = query;
		const { listMax } = settings;
		if (Number(limit) > listMax && settings.listAboveMax === 'refuse') {
			throw new Refusal(apiError(400, [`limit must not be greater than ${listMax}`]));
		}
		const entries = Math.min(Number(limit), listMax);
		return { status: 200, body: list.page({ merchantClientId, status }, Number(page), entries) };
	}

	function getStatus(request: FastifyRequest): Answer {
		partnerOf(keys, request.headers);
		const payment = payments.find(numberIn(request));
		if (payment?.api !== 'keys') throw new Refusal(apiError(404, 'Payment not found'));
		const { id, status, referenceNumber, amount, currency } = payment;
		// Assumed: everything but the status.
		const body = { paymentId: id, status: settings.keyStatuses[status], referenceNumber, amount };
		return { status: 200, body: { ...body, currency } };
	}

	/** Assumed: everything but that there is a profile. */
	function profile({ headers }: FastifyRequest): Answer {
		const clientId = partnerOf(keys, headers);
		const { startedAt: createdAt } = parts;
		return {
			status: 200,
			body: { id: 1, name: 'Sandbox Partner', clientId, status: 'active', createdAt },
		};
	}

	const createMerchant =
		(schema: BodySchema) =>
		(request: FastifyRequest): Answer => {
			partnerOf(keys, request.headers);
			const { companyName, contactEmail, contactPhone, partnerRefId, ...customFields } =
				bodyOf<MerchantBody>(request, schema);
			const known = { companyName, contactEmail, contactPhone, partnerRefId };
			const merchant = merchants.create({ ...known, customFields }, 'pending');
			const { id: merchantId, clientId, onboardingToken, expiresAt } = merchant;
			return {
				status: 201,
				body: {
					...{ merchantId, clientId, companyName, contactEmail },
					onboardingUrl: url() + onboardingPath(merchant),
					...{ onboardingToken, status: 'pending_onboarding', expiresAt },
				},
			};
		};

	function testMerchant(request: FastifyRequest): Answer {
		partnerOf(keys, request.headers);
		if (settings.production) throw new Refusal(apiError(404, `Cannot POST ${request.url}`));
		const { companyName, ...customFields } = bodyOf<MerchantBody>(request, TEST_MERCHANT);
		const fields = { companyName, contactEmail: 'test-merchant@example.com', customFields };
		const { id: merchantId, clientId } = merchants.create(fields, 'active');
		const message = 'Test merchant created and activated';
		const body = { merchantId, clientId, companyName, status: 'activated', message };
		return { status: 201, body };
	}

	function getMerchant(request: FastifyRequest): Answer {
		partnerOf(keys, request.headers);
		return { status: 200, body: presentMerchant(merchantIn(request)) };
	}

	function listMerchants({ headers }: FastifyRequest): Answer {
		partnerOf(keys, headers);
		const all = merchants.all().map(presentMerchant);
		return { status: 200, body: settings.merchantList === 'array' ? all : { merchants: all } };
	}

	function listStores(request: FastifyRequest): Answer {
		partnerOf(keys, request.headers);
		const stores = merchants.stores(merchantIn(request)).map(presentStore);
		return { status: 200, body: settings.storeList === 'array' ? stores : { stores } };
	}

	function createStore(request: FastifyRequest): Answer {
		partnerOf(keys, request.headers);
		const merchant = merchantIn(request);
		const store = merchants.createStore(merchant, bodyOf(request, CREATE_STORE));
		return { status: 201, body: presentStore(store) };
	}

	function listWebhooks({ headers }: FastifyRequest): Answer {
		partnerOf(keys, headers);
		return { status: 200, body: registrations.all().map((it) => presentRegistration(it)) };
	}

	function registerWebhook(request: FastifyRequest): Answer {
		partnerOf(keys, request.headers);
		const body = bodyOf<{ url: string; events: KeyEvent[] }>(request, WEBHOOK);
		const registration = registrations.register(body.url, body.events);
		return { status: 201, body: presentRegistration(registration, true) };
	}

	function changeWebhook(request: FastifyRequest): Answer {
		partnerOf(keys, request.headers);
		const registration = registrationIn(request);
		const body = bodyOf<{ url: string; events: KeyEvent[] }>(request, WEBHOOK);
		Object.assign(registration, { url: body.url, events: body.events });
		return { status: 200, body: presentRegistration(registration) };
	}

	function removeWebhook(request: FastifyRequest): Answer {
		partnerOf(keys, request.headers);
		if (!settings.removableWebhooks) {
			throw new Refusal(apiError(404, `Cannot DELETE ${request.url}`));
		}
		registrations.remove(registrationIn(request));
		return { status: 204, body: '' };
	}

	const subject: Subject = ({ params, query, body, routeOptions }) => {
		const { id } = params as { id?: string };
		const sent = { ...(query as object), ...(body as object | undefined) } as Partial<PaymentBody>;
		const isMerchant = routeOptions.url?.includes('/merchants/:id');
		const payment = id === undefined || isMerchant ? undefined : payments.find(id);
		const merchant = isMerchant ? merchants.find(Number(id))?.clientId : payment?.merchant;
		return {
			merchant: merchant ?? sent.merchantClientId,
			reference: payment?.referenceNumber ?? sent.referenceNumber,
		};
	};
	const operation = (endpoint: Endpoint, handle: Operation['handle']): Operation => ({
		endpoint,
		handle,
		subject,
	});

	return {
		create: operation('create', createPayment),
		/** The others, by method and path below `/v1/partner`. */
		routes: {
			'GET /profile': operation('profile', profile),
			'GET /payments': operation('list', listPayments),
			'GET /payments/:id/status': operation('get', getStatus),
			'GET /merchants': operation('listMerchants', listMerchants),
			'POST /merchants': operation('createMerchant', createMerchant(NEW_MERCHANT)),
			'POST /merchants/fast-track': operation('fastTrackMerchant', createMerchant(FAST_TRACK)),
			'POST /merchants/test': operation('testMerchant', testMerchant),
			'GET /merchants/:id': operation('getMerchant', getMerchant),
			'GET /merchants/:id/stores': operation('listStores', listStores),
			'POST /merchants/:id/stores': operation('createStore', createStore),
			'GET /webhooks': operation('listWebhooks', listWebhooks),
			'POST /webhooks': operation('registerWebhook', registerWebhook),
			'PUT /webhooks/:id': operation('changeWebhook', changeWebhook),
			'DELETE /webhooks/:id': operation('removeWebhook', removeWebhook),
		},
	};
}
