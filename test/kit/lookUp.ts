/** What the tests of looking a payment up share: an engine with keys, a reference of its own for each test, and trouble. */
import type { INode, INodeParameters } from 'n8n-workflow';
import type { Fault } from '../../sandbox';
import { shorten, variantOfPackage, type Engine, type Execution } from '../engine/harness';
import { createPayments, engineWithKeys, SHOP } from './keys';
import { requestsFor, upTo, useSandbox } from './payments';

/** What is said of a payment that no look has shown. */
export const NOT_SHOWN =
	/^AcountPay's list of payments was looked at 5 times: it does not show it\./;

/**
 * This package with shorter waits: between the looks for a payment whose outcome is unknown, and before it is sent again.
 * `test/unit/AcountPay/actions/payment/lookUp/paymentLookUp.test.ts` has them whole.
 *
 * @param times how much shorter
 * @returns the folder, for an engine
 */
export const packageWithQuickLooks = (times: number): string =>
	variantOfPackage({
		'dist/nodes/AcountPay/actions/payment/lookUp/paymentLookUp.js': shorten(
			times,
			'PAUSES',
			'GRACE',
		),
	});

/**
 * Sets the tests of a file up, each with an engine and a reference of its own.
 *
 * @param times of {@link packageWithQuickLooks}; by default the package is unchanged
 * @returns what they use; `engine` and `reference` are those of the present test
 */
export function useLookUp(times = 1) {
	const sandbox = useSandbox();
	const folder = times > 1 ? packageWithQuickLooks(times) : undefined;
	let tests = 0;
	const at = {} as { engine: Engine; reference: string };
	beforeEach(async () => {
		at.engine = await engineWithKeys(sandbox, {}, { folder });
		// Of its own for each test: what one left open would be a doubt for the next.
		at.reference = `LOOK-${++tests}`;
		// Of another amount: an equal one would be a doubt.
		await payElsewhere({ referenceNumber: 'OTHER', amount: 3 });
	});

	/** Another program of the same partner makes a payment. */
	async function payElsewhere(changes: object): Promise<void> {
		const { clientId, clientSecret } = sandbox.keys;
		const response = await fetch(`${sandbox.url}/v1/partner/payments`, {
			method: 'POST',
			headers: {
				'Content-Type': 'application/json',
				'X-Partner-Client-Id': clientId,
				'X-Partner-Client-Secret': clientSecret,
			},
			body: JSON.stringify({
				merchantClientId: SHOP.clientId,
				amount: 10.5,
				referenceNumber: at.reference,
				...changes,
			}),
		});
		expect(response.status).toBe(201);
	}

	const items = (count = 1) => upTo(count).map(() => ({ amount: 10.5, reference: at.reference }));

	const trouble = (fault: Fault) => sandbox.faults.add({ match: { endpoint: 'create' }, ...fault });

	const run = async (
		count = 1,
		options: INodeParameters = {},
		settings: Partial<INode> = {},
	): Promise<Execution> =>
		await at.engine.runNode({ node: createPayments({ options }, settings), items: items(count) });

	/** The payments that the node asked for, whether AcountPay made them or not. */
	const asked = () =>
		requestsFor(sandbox, 'create').filter(
			({ body, headers }) =>
				(body as { referenceNumber: string }).referenceNumber === at.reference &&
				headers['user-agent'] !== 'node',
		).length;
	const looks = () => requestsFor(sandbox, 'list').length;
	const made = () =>
		sandbox.payments.filter(({ referenceNumber }) => referenceNumber === at.reference);
	const idsIn = (execution: Execution) => execution.json().map(({ paymentId }) => paymentId);

	function expectUnknown({ error }: Execution, looked: RegExp) {
		expect(error?.message).toMatch(`Payment '${at.reference}' may or may not exist`);
		expect(error?.description).toMatch(looked);
		expect(error?.description).toMatch('Look for this reference in AcountPay');
		expect(error?.context).toMatchObject({ outcome: 'unknown' });
	}

	return {
		at,
		sandbox,
		payElsewhere,
		items,
		trouble,
		run,
		asked,
		looks,
		made,
		idsIn,
		expectUnknown,
	};
}
