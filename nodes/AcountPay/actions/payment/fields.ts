import type { INodeProperties } from 'n8n-workflow';
import { FieldProblem } from '../../../shared/problems';
import { type ItemParameters, requiredText, shown } from '../../itemParameters';

/** The merchant that a payment is for. Every operation has it: one partner serves many merchants. */
export const merchantIdField: INodeProperties = {
	displayName: 'Merchant ID',
	name: 'merchantId',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. merchant_abc123',
	description: 'The merchant that gets the money, as AcountPay calls it',
};

/** The payment that an operation is about. */
export const paymentIdField: INodeProperties = {
	displayName: 'Payment ID',
	name: 'paymentId',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. pay_abc123def456',
	description: 'The ID that AcountPay gave the payment when it was created',
};

/** Printable ASCII, the only text that every HTTP server reads alike in a header. */
const HEADER_VALUE = /^[\x20-\x7e]+$/;

/**
 * The checked merchant, without spaces around it, which HTTP would take away.
 * @throws FieldProblem
 */
export function merchantIdOf(item: ItemParameters): string {
	const { displayName } = merchantIdField;
	const merchantId = requiredText(displayName, item.get('merchantId'));
	if (!HEADER_VALUE.test(merchantId)) {
		throw new FieldProblem(
			displayName,
			`must be letters, digits and signs on one line, but is ${shown(merchantId)}`,
		);
	}
	return merchantId.trim();
}

/** What would end or change the path of a URL, or is half a sign, which has no place in one. */
const CHANGES_PATH = /[\s/\\?#%\p{Cc}\p{Cs}]|^\.{1,2}$/u;

/**
 * The checked payment id.
 * @throws FieldProblem
 */
export function paymentIdOf(item: ItemParameters): string {
	const { displayName } = paymentIdField;
	const paymentId = requiredText(displayName, item.get('paymentId')).trim();
	if (CHANGES_PATH.test(paymentId)) {
		throw new FieldProblem(
			displayName,
			`must be an ID such as pay_abc123def456, without spaces or any of / \\ ? # %, but is ${shown(paymentId)}`,
		);
	}
	return paymentId;
}
