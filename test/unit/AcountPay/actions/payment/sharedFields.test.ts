import { type INode, type INodeParameters, NodeHelpers } from 'n8n-workflow';

import { AcountPay } from '../../../../../nodes/AcountPay/AcountPay.node';
import { get } from '../../../../../nodes/AcountPay/actions/payment/get.operation';
import type { Client } from '../../../../../nodes/shared/transport/client';
import { parameters, refusal } from '../../../support';

describe('payment id', () => {
	const idOf = (paymentId: unknown) =>
		get.check(parameters({ merchantId: 'm', paymentId: paymentId as string }), {} as Client);

	it.each([
		['pay_abc123def456'],
		[42],
		['42'],
		['A-b.c~d:e'],
		['..a'],
		['550e8400-e29b-41d4-a716-446655440000'],
	])('%p is one', (paymentId) => {
		expect(idOf(paymentId)).toEqual({ merchantClientId: 'm', paymentId: String(paymentId) });
	});

	it.each([
		['../x'],
		['a/b'],
		['a\\b'],
		['a?b'],
		['a#b'],
		['a%2fb'],
		['.'],
		['..'],
		['a b'],
		['a\nb'],
		['a\u0001b'],
	])('%p would change the path', (paymentId) => {
		expect(refusal(() => idOf(paymentId))).toMatch(
			/^Payment ID must be an ID such as pay_abc123def456/,
		);
	});

	it.each([[''], [' '], [null]])('%p is empty', (paymentId) => {
		expect(refusal(() => idOf(paymentId))).toBe('Payment ID must not be empty');
	});
});

/** The fields of that name that n8n shows in a node with these parameters. */
const shown = (parameters: INodeParameters) => {
	const { description } = new AcountPay();
	const node = { typeVersion: 1, parameters } as INode;
	return description.properties.filter(
		(field) =>
			field.name === 'merchantId' &&
			NodeHelpers.displayParameter(parameters, field, node, description),
	);
};

describe('the merchant after a switch of the credential', () => {
	const PICKED = { __rl: true, mode: 'list', value: 'x', cachedResultName: 'Corner Shop' };

	it.each(
		['oAuth2', 'apiKey'].flatMap((authentication) => [
			[authentication, 'merchant_abc123', 'string'],
			[authentication, '={{ $json.merchant }}', 'string'],
			[authentication, PICKED, 'resourceLocator'],
			[authentication, { ...PICKED, mode: 'id' }, 'resourceLocator'],
			[authentication, undefined, authentication === 'oAuth2' ? 'string' : 'resourceLocator'],
		]),
	)('with %s, %j stands in one %s field and is kept', (authentication, merchantId, type) => {
		const parameters = {
			authentication,
			resource: 'payment',
			operation: 'create',
			...(merchantId !== undefined && { merchantId }),
		} as INodeParameters;
		expect(shown(parameters).map((field) => field.type)).toEqual([type]);
		const { description } = new AcountPay();
		const node = { typeVersion: 1, parameters } as INode;
		const kept = NodeHelpers.getNodeParameters(
			description.properties,
			parameters,
			true,
			false,
			node,
			description,
		);
		if (merchantId !== undefined) expect(kept!.merchantId).toEqual(merchantId);
	});
});
