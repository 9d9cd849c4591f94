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

/** How many candidates an item's output has at most: in a list without references every payment is one. */
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
 * What a merchant's payments say about the one that is wanted.
 * @returns the output: `found` is `one` when exactly one payment is the same, `several` when more are, `doubt` when none is
 *   but something is like it, and `none`
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
	const left = candidates.length - MAX_CANDIDATES;
	const like = candidates.length > 0 ? 'doubt' : 'none';
	return {
		found: same.length === 0 ? like : same.length === 1 ? 'one' : 'several',
		...(same.length === 1 && { payment: same[0].payment }),
		candidates: candidates.slice(0, MAX_CANDIDATES),
		...(left > 0 && { candidatesLeftOut: left }),
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
					'The amount that the payment should have, in major units. One with another amount is a doubt.',
			},
			{
				...currencyField,
				description:
					'The currency that the payment should have. One in another currency is a doubt.',
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
		// Comparing takes ms for each item, and n8n is to run between them.
		await sleep(0);
		return [{ json: findAmong(list.ofLastDays(lookBackDays), wanted) }];
	},
};
