import type { WorkflowJson } from '../n8n/workflow';
import { assistant } from './assistant';
import { createAndGet } from './createAndGet';
import { createAndWait } from './createAndWait';
import { invoicesByMail } from './invoicesByMail';
import { fileOf, waysOf, workflowOf, type ExampleSource } from './kit';
import { nightlyReconciliation } from './nightlyReconciliation';
import { merchantStores, onboardMerchant } from './onboardMerchant';
import { paidOrders } from './paidOrders';
import { paymentForm } from './paymentForm';
import { payOnce } from './payOnce';
import { pointOfSale } from './pointOfSale';

const SOURCES: ExampleSource[] = [
	assistant,
	createAndGet,
	createAndWait,
	invoicesByMail,
	merchantStores,
	nightlyReconciliation,
	onboardMerchant,
	paidOrders,
	payOnce,
	paymentForm,
	pointOfSale,
];

/** The workflows that people import, by the names of their files without `.json`. */
export const drawnExamples = (): Map<string, WorkflowJson> =>
	new Map(
		SOURCES.flatMap((source) =>
			waysOf(source).map((way): [string, WorkflowJson] => [
				fileOf(source, way),
				workflowOf(source, way),
			]),
		),
	);
