import { type PaymentFilters, withPaymentId } from '../../../shared/api/payments';
import { withIsPaid } from '../../../shared/api/statuses';
import { readList } from '../../../shared/transport/readList';
import { listFields, limitFrom } from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';
import { requiredText } from '../../operation/parameters';
import { paymentList } from './lookUp/readMerchantList';
import { checkedMerchantClientId, merchantPickerField } from './sharedFields';

/** Lists payments. With keys only. */
export const getMany: Operation<{ filters: PaymentFilters; limit: number }> = {
	option: {
		name: 'Get Many',
		// n8n's convention for 'Get Many'.
		value: 'getAll',
		action: 'Get many payments',
		description: 'Get payments and their status, all or by merchant and status',
	},
	fields: [
		...listFields,
		{
			displayName: 'Filters',
			name: 'filters',
			type: 'collection',
			placeholder: 'Add Filter',
			default: {},
			options: [
				{
					...merchantPickerField,
					required: false,
					description: 'Only payments of this merchant',
				},
				{
					displayName: 'Status',
					name: 'status',
					type: 'options',
					options: [
						{ name: 'Failed', value: 'failed' },
						{ name: 'Paid', value: 'paid' },
						{ name: 'Pending', value: 'pending' },
					],
					default: 'paid',
					description: 'Only payments with this status',
				},
			],
		},
	],

	check(item) {
		const { merchantId, status } = item.collection('filters');
		return {
			filters: {
				...(merchantId !== undefined && { merchantClientId: checkedMerchantClientId(merchantId) }),
				...(status !== undefined && { status: requiredText('Status', status) }),
			},
			limit: limitFrom(item),
		};
	},

	async run({ filters, limit }, { client, options }) {
		const payments = await readList(client, paymentList(filters), options, limit);
		return payments.map((payment) => ({ json: withIsPaid(withPaymentId(payment)) }));
	},
};
