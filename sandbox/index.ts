export * from './server';
export type { Fault, FaultMatch, Endpoint } from './faults';
export type { Credentials, TokenSettings } from './oauth';
export type { Payment, PaymentEvent, PaymentStatus } from './payments';
export type { RecordedRequest } from './traffic';
export { signWebhook, webhookBody, webhookHeaders, REPEAT_PAUSES_MS } from './webhook';
export type { Delivery } from './webhook';
export { LIFETIME_MS, MOCK_PAYMENTS, PROCESSING_MS, TEST_MERCHANTS } from './payments';
