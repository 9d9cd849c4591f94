import {
	callOptionsOf,
	concurrencyOf,
	resendUnknownOptionFor,
} from '../../../../nodes/AcountPay/operation/options';
import { parameters, refusal } from '../../support';

describe('options', () => {
	it('have defaults', () => {
		expect(callOptionsOf(parameters({}))).toEqual({ timeout: 30_000, resendUnknown: false });
		expect(concurrencyOf(parameters({}))).toBe(200);
	});

	it('are taken', () => {
		const options = { timeout: 1, resendUnknown: true, maxConcurrency: 1 };
		expect(callOptionsOf(parameters({ options }))).toEqual({ timeout: 1, resendUnknown: true });
		expect(concurrencyOf(parameters({ options }))).toBe(1);
		expect(callOptionsOf(parameters({ options: { timeout: 600_000 } })).timeout).toBe(600_000);
		expect(concurrencyOf(parameters({ options: { maxConcurrency: 1_000 } }))).toBe(1_000);
		expect(callOptionsOf(parameters({ options: { resendUnknown: 'true' } })).resendUnknown).toBe(
			false,
		);
	});

	it('are taken as text, as an expression gives them', () => {
		const options = { timeout: '30000', maxConcurrency: '10' };
		expect(callOptionsOf(parameters({ options })).timeout).toBe(30_000);
		expect(concurrencyOf(parameters({ options }))).toBe(10);
	});

	it.each([[0], [-1], [1.5], ['30 000'], ['600001'], [600_001], [NaN]])(
		'%p is no timeout',
		(timeout) => {
			expect(refusal(() => callOptionsOf(parameters({ options: { timeout } })))).toMatch(
				/^Request Timeout must be a whole number from 1 to 600000, but is /,
			);
		},
	);

	it.each([[0], [-1], [1.5], ['10.5'], ['1001'], [1_001]])(
		'%p is no max concurrency',
		(maxConcurrency) => {
			expect(refusal(() => concurrencyOf(parameters({ options: { maxConcurrency } })))).toMatch(
				/^Max Concurrency must be a whole number from 1 to 1000, but is /,
			);
		},
	);
});

describe('Resend Unknown', () => {
	it('is off until a person switches it on, and is then what a request follows', () => {
		const option = resendUnknownOptionFor('payment');
		expect(option).toMatchObject({ displayName: 'Resend Unknown', type: 'boolean' });
		expect(option.default).toBe(false);
		const options = { [option.name]: true };
		expect(callOptionsOf(parameters({ options })).resendUnknown).toBe(true);
	});

	it('says what may then happen', () => {
		expect(resendUnknownOptionFor('payment').description).toBe(
			'Whether to resend a payment whose outcome is unknown when the node is retried, automatically or by hand. The customer may be charged twice.',
		);
		expect(resendUnknownOptionFor('store').description).toBe(
			'Whether to resend a store whose outcome is unknown when the node is retried, automatically or by hand. The store may then exist twice.',
		);
	});
});
