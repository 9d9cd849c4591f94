/**
 * With keys, a payment whose outcome is unknown is looked for in the list: handed out when it is found beyond doubt, and
 * never sent again on a doubt.
 */
import type { INodeParameters } from 'n8n-workflow';
import { type Fault, KEY_MERCHANTS } from '../../sandbox';
import { createPayments } from '../kit/keys';
import { NOT_SHOWN, useLookUp } from '../kit/lookUp';
import { continueOnError, until } from '../kit/payments';

jest.setTimeout(180_000);

const { at, sandbox, payElsewhere, trouble, run, asked, looks, made, idsIn, expectUnknown } =
	useLookUp();

describe('a payment that was made although the response', () => {
	it.each<[string, Fault, INodeParameters]>([
		['was a 500', { status: 500, made: true }, {}],
		['never came', { hang: true, made: true }, { timeout: 250 }],
		['was reset', { reset: 'after' }, {}],
		['was cut off', { cutOff: true }, {}],
		['was a redirect', { status: 302, redirectTo: '/v1/partner/payments', made: true }, {}],
		['was HTML', { status: 201, made: true, body: '<h1>Thank you</h1>' }, {}],
		['names nothing', { status: 201, made: true, body: { error: 'Internal error' } }, {}],
		['names a merchant', { status: 200, made: true, body: { merchant: { id: 42 } } }, {}],
		[
			'is about another payment',
			{ status: 201, made: true, body: { paymentId: 1, referenceNumber: 'OTHER' } },
			{},
		],
	])('%s is handed out as made', async (_what, fault, options) => {
		trouble(fault);
		const execution = await run(1, options);
		expect(execution.error).toBeUndefined();
		expect(execution.json()).toEqual([
			expect.objectContaining({
				paymentId: made()[0].id,
				referenceNumber: at.reference,
				status: 'pending',
				lookedUp: true,
			}),
		]);
		expect(asked()).toBe(1);
		expect(looks()).toBeLessThanOrEqual(4);
	});

	it('was a 500 is found when the list is late', async () => {
		trouble({ status: 500, made: true, listLag: { looks: 3 } });
		const execution = await run();
		expect(idsIn(execution)).toEqual([made()[0].id]);
		expect(looks()).toBeGreaterThan(3);
	});

	it('was a 500 is found by a clock that differs', async () => {
		sandbox.clock.advance(3_600_000);
		trouble({ status: 500, made: true });
		expect(idsIn(await run())).toEqual([made()[0].id]);
	});

	it('a payment of the usual kind is not marked', async () => {
		const [output] = (await run()).json();
		expect(output).not.toHaveProperty('lookedUp');
		expect(looks()).toBe(0);
	});

	it('was a 500 is named as made when it has no link to draw a QR code of', async () => {
		trouble({ status: 500, made: true });
		const { error } = await run(1, { qrCode: true });
		expect(error?.description).toMatch(
			/^Look for the payment's link in .* Dashboard\. Do not create the payment again\./,
		);
		expect(error?.context).toMatchObject({
			outcome: 'made',
			paymentsMade: [{ paymentId: String(made()[0].id) }],
		});
	});
});

describe('a payment that was not made', () => {
	it('stays unknown, and the error says what was looked at', async () => {
		trouble({ status: 500 });
		expectUnknown(await run(), NOT_SHOWN);
		expect(asked()).toBe(1);
		expect(looks()).toBe(5);
	});

	it("is not mistaken for an older one, another merchant's, or another order's", async () => {
		const others: object[] = [
			{},
			{ merchantClientId: KEY_MERCHANTS.success.clientId },
			{ referenceNumber: `${at.reference}-1000` },
		];
		const orders = others.map((_, index) => ({
			amount: 10.5,
			reference: `${at.reference}-${index}`,
		}));
		await payElsewhere({ referenceNumber: orders[0].reference });
		sandbox.clock.advance(180_000);
		// All but the first are made while the looks go on.
		trouble({ status: 500, times: orders.length });
		const execution = at.engine.runNode({
			node: createPayments({}, continueOnError),
			items: orders,
		});
		await until(() => looks() > 0);
		for (const [index, changes] of others.entries()) {
			if (index > 0) await payElsewhere({ referenceNumber: orders[index].reference, ...changes });
		}
		const outputs = (await execution).json();
		expect(outputs).toHaveLength(others.length);
		for (const { details } of outputs) {
			expect(details).toMatchObject({
				outcome: 'unknown',
				description: expect.stringMatching(NOT_SHOWN),
			});
		}
	});
});

it('an older one is not handed out in place of the one that was made', async () => {
	await payElsewhere({});
	sandbox.clock.advance(180_000);
	trouble({ status: 500, made: true });
	const execution = await run();
	expect(made()).toHaveLength(2);
	expect(idsIn(execution)).toEqual([made()[1].id]);
});

describe('a doubt stays one', () => {
	it('without a clock', async () => {
		sandbox.faults.add({ match: { endpoint: 'list' }, headers: { Date: '' }, times: 'always' });
		trouble({ status: 500, made: true });
		expectUnknown(
			await run(),
			/looked at once: it shows payment \d+, which may be older or newer\./,
		);
	});

	it.each<[string, object, RegExp]>([
		['amount', { amount: 10.51 }, /has the amount 10\.51 instead of 10\.5/],
		['currency', { currency: 'EUR' }, /has the currency EUR instead of DKK/],
		['reference', { referenceNumber: '' }, /has the reference 'look-\d+' instead of/],
	])('when a payment with another %s has come up since', async (_what, changes, words) => {
		const others = { ...changes };
		if ('referenceNumber' in others) others.referenceNumber = `${at.reference.toLowerCase()} `;
		trouble({ status: 500, latencyMs: 300 });
		const execution = run();
		await until(() => asked() > 0);
		await payElsewhere(others);
		expectUnknown(await execution, words);
	});

	it('when the list can not be read', async () => {
		sandbox.faults.add({ match: { endpoint: 'list' }, status: 403, times: 'always' });
		trouble({ status: 500, made: true });
		expectUnknown(
			await run(1, { resendUnknown: true }),
			/looked at 5 times: it could not be read\./,
		);
	});

	it('when another program has asked for the same since', async () => {
		trouble({ status: 500, made: true, latencyMs: 300 });
		const execution = run();
		await until(() => made().length > 0);
		await payElsewhere({});
		expectUnknown(await execution, /it shows 2 payments that could be it: \d+, \d+\./);
	});
});
