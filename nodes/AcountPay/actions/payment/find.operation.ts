import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { sleep } from 'n8n-workflow';
import { withPaymentId } from '../../../shared/api/payments';
import type { ListedPayment } from '../../../shared/api/listedPayments';
import { withIsPaid } from '../../../shared/api/statuses';
import type { Client } from '../../../shared/transport/client';
import { additionalFieldsWith, textFrom } from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';
import { wholeNumber } from '../../operation/parameters';
import { DEFAULT_LOOK_BACK, SharedReadings } from './lookUp/sharedReadings';
import { compare, type Relation, type WantedPayment } from './lookUp/samePayment';
import {
	amountField,
	amountOf,
	currencyField,
	currencyOf,
	merchantClientIdFrom,
	merchantFieldsForKeys,
	referenceNumberField,
} from './sharedFields';

/** The longest look back, in days. */
const MAX_LOOK_BACK = 3_650;

/** The most candidates in an item's output: if AcountPay's list shows no references, every payment is a candidate. */
const MAX_CANDIDATES = 50;

/** The relations that make a candidate, in the order of the output. */
const CANDIDATES: readonly Relation[] = ['same', 'differs', 'incomplete', 'similar'];

interface FindInput {
	wanted: WantedPayment;
	lookBackDays: number;
}

const lookBackOption: INodeProperties = {
	displayName: 'Look Back (Days)',
	name: 'lookBackDays',
	type: 'number',
	typeOptions: { minValue: 1, maxValue: MAX_LOOK_BACK },
	default: DEFAULT_LOOK_BACK,
	description: 'How many days ago the payment may have been created',
};

/**
 * Which of a merchant's payments is the one that is wanted, or may be.
 * @returns the output. Its `found` is `one` or `several` if that many payments are the same. If none is, it is `doubt` when
 *   there are other candidates, and `none` when there are not
 */
export function findAmong(payments: readonly ListedPayment[], wanted: WantedPayment): IDataObject {
	const candidates = payments
		.map((listed) => ({ ...compare(wanted, listed), entry: listed.entry }))
		.filter(({ relation }) => relation !== 'other')
		.sort((a, b) => CANDIDATES.indexOf(a.relation) - CANDIDATES.indexOf(b.relation))
		.map(({ entry, ...comparison }) => ({
			...comparison,
			payment: withIsPaid(withPaymentId(entry)),
		}));
	const same = candidates.filter(({ relation }) => relation === 'same');
	const leftOut = candidates.length - MAX_CANDIDATES;
	const withoutSame = candidates.length > 0 ? 'doubt' : 'none';
	return {
		found: same.length === 0 ? withoutSame : same.length === 1 ? 'one' : 'several',
		...(same.length === 1 && { payment: same[0].payment }),
		candidates: candidates.slice(0, MAX_CANDIDATES),
		...(leftOut > 0 && { candidatesLeftOut: leftOut }),
	};
}

/** One reading of a merchant's list serves all items of a run. */
const readingsOf = new WeakMap<Client, SharedReadings>();

/** Finds an order's payment in AcountPay's list. With keys only: there is no list with access tokens (documented). */
export const find: Operation<FindInput> = {
	option: {
		name: 'Find by Reference',
		value: 'find',
		action: 'Find payment by reference',
		description: "Look for an order's payment by its merchant and reference number",
	},
	fields: [
		...merchantFieldsForKeys,
		referenceNumberField,
		additionalFieldsWith([
			{
				...amountField,
				required: false,
				description:
					'The amount that the payment should have, in major units. A payment with another amount counts only as a doubt.',
			},
			{
				...currencyField,
				description:
					'The currency that the payment should have. A payment in another currency counts only as a doubt.',
			},
		]),
	],
	options: [lookBackOption],

	check(item) {
		const { amount, currency } = item.collection('additionalFields');
		const { lookBackDays = DEFAULT_LOOK_BACK } = item.collection('options');
		return {
			wanted: {
				merchantId: merchantClientIdFrom(item),
				referenceNumber: textFrom(item, referenceNumberField),
				...(amount !== undefined && { amount: amountOf(amount) }),
				...(currency !== undefined && { currency: currencyOf(currency) }),
			},
			lookBackDays: wholeNumber(lookBackOption.displayName, lookBackDays, 1, MAX_LOOK_BACK),
		};
	},

	async run({ wanted, lookBackDays }, { client, options }) {
		const readings = readingsOf.get(client) ?? new SharedReadings(Infinity);
		readingsOf.set(client, readings);
		const list = await readings.read(client, wanted.merchantId, lookBackDays, options);
		// Comparing takes milliseconds per item: n8n gets a turn after each.
		await sleep(0);
		return [{ json: findAmong(list.ofLastDays(lookBackDays), wanted) }];
	},
};
