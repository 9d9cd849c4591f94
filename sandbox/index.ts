export * from './sandbox';
export * from './server';
export type { Delivery } from './deliveries';
export { REPEAT_PAUSES_MS } from './deliveries';
export { ENDPOINTS } from './faults';
export type { Fault, FaultMatch, Endpoint } from './faults';
export { LIFETIME_MS, PROCESSING_MS } from './payments';
export type { Api, Payment, PaymentEvent, PaymentStatus } from './payments';
export type { LoadSettings } from './requests';
export type { RecordedRequest } from './traffic';

export { MOCK_PAYMENTS, TEST_MERCHANTS } from './tokens/api';
export type { Credentials, TokenSettings } from './tokens/oauth';
export { signWebhook, webhookBody, webhookHeaders } from './tokens/webhook';

export type { Keys } from './keys/auth';
export { KEY_MERCHANTS, ONBOARDING_MS } from './keys/merchants';
export type { Merchant, MerchantEvent, Store } from './keys/merchants';
export type { KeySettings } from './keys/settings';
export {
	KEY_EVENTS,
	keyMerchantBody,
	keyPaymentBody,
	keyWebhookHeaders,
	signKeyWebhook,
} from './keys/webhooks';
export type { KeyEvent, Registration } from './keys/webhooks';
