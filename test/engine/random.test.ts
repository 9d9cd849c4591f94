/**
 * Random troubles over random batches, with random settings, stops and retries by hand, held against one sentence:
 * each item has one payment, or an error that tells the truth.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';
import type { Fault } from '../../sandbox';
import { createNode, useEngine, savedWith } from '../kit/engine';
import {
	createOf,
	continueOnError,
	orders,
	countsByReference,
	referenceOf,
	retryOnFail,
	until,
} from '../kit/payments';
import type { Execution } from './harness';

const { sandbox, engine } = useEngine({ expressions: 'legacy' });

const MOST_ITEMS = 12;
const TIMEOUT = 200;

/** What can become of a request to make a payment. */
const troubles = {
	slow: { latencyMs: 20 },
	refused: { status: 422 },
	forbidden: { status: 403 },
	conflict: { status: 409 },
	tokenEnded: { revokeToken: true },
	busy: { status: 429, headers: { 'Retry-After': '0' } },
	failed: { status: 503 },
	failedButMade: { status: 500, made: true },
	late: { latencyMs: 2 * TIMEOUT },
	silent: { hang: true },
	silentButMade: { hang: true, made: true },
	resetBefore: { reset: 'before' },
	resetAfter: { reset: 'after' },
	cutOff: { cutOff: true },
	redirected: { redirectTo: '/v1/partner/payments', made: true },
	unreadable: { status: 201, made: true, body: '<h1>Thank you</h1>' },
	/** Only for one item, since its reference is in it. */
	errorInAnswer: { made: true },
} satisfies Record<string, Fault>;

const UNTOLD_ID = 'an id of no payment';

const trouble = fc.record({
	kind: fc.constantFrom(...(Object.keys(troubles) as Array<keyof typeof troubles>)),
	/** The item that it meets; undefined: any. */
	item: fc.option(fc.nat(MOST_ITEMS - 1), { nil: undefined }),
	nth: fc.integer({ min: 1, max: 3 }),
	times: fc.integer({ min: 1, max: 2 }),
});

const scenario = fc.record({
	count: fc.integer({ min: 1, max: MOST_ITEMS }),
	troubles: fc.array(trouble, { maxLength: 8 }),
	tokenIsCold: fc.boolean(),
	tokenRefusals: fc.constantFrom(0, 0, 0, 1),
	invalidItem: fc.option(fc.nat(MOST_ITEMS - 1), { nil: undefined, freq: 1 }),
	maxConcurrency: fc.integer({ min: 1, max: 5 }),
	goesOn: fc.boolean(),
	maxTries: fc.constantFrom(1, 2, 3, 4),
	resendUnknown: fc.boolean(),
	/** Stopped once so many requests have come in. */
	stopAfter: fc.option(fc.nat(MOST_ITEMS), { nil: undefined, freq: 1 }),
	/** 'Retry with currently saved workflow', where the person has switched this. */
	retries: fc.array(fc.record({ resendUnknown: fc.boolean() }), { minLength: 1, maxLength: 2 }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

const nodeFor = (
	{ maxConcurrency, goesOn, maxTries }: Scenario,
	{ resendUnknown }: { resendUnknown: boolean },
) =>
	createNode(
		{ maxConcurrency, resendUnknown, timeout: TIMEOUT },
		{ ...(goesOn && continueOnError), ...(maxTries > 1 && retryOnFail(maxTries)) },
	);

function orderTroubles({ troubles: ordered, tokenRefusals }: Scenario) {
	for (const { kind, item, nth, times } of ordered) {
		if (kind === 'errorInAnswer' && item === undefined) continue;
		const match = item === undefined ? { endpoint: 'create' as const, nth } : createOf(item);
		const body = { id: UNTOLD_ID, referenceNumber: referenceOf(item ?? 0), error: true };
		sandbox.faults.add({
			...troubles[kind],
			match,
			times,
			...(kind === 'errorInAnswer' && { body }),
		});
	}
	if (tokenRefusals > 0) {
		sandbox.faults.add({ match: { endpoint: 'token' }, times: tokenRefusals, status: 401 });
	}
}

interface Named {
	referenceNumber: string;
	paymentId?: string;
}

/** What a person learns from an execution: the payments made, and those of which it is not known. */
function told(execution: Execution): { made: Named[]; unknown: string[]; notMade: string[] } {
	if (execution.status === 'canceled') {
		const lines = engine.log.messages('warn');
		const found = (what: string, pattern: RegExp) =>
			lines.filter((line) => line.includes(what)).flatMap((line) => [...line.matchAll(pattern)]);
		return {
			made: found('Payments created', /(ORDER-\d+) = (\w[\w ]+)/g).map(
				([, referenceNumber, paymentId]) => ({ referenceNumber, paymentId }),
			),
			unknown: found('May or may not exist', /ORDER-\d+/g).map(([reference]) => reference),
			notMade: [],
		};
	}
	if (execution.status === 'error') {
		const { itemIndex, outcome, paymentsMade, outcomesUnknown } = execution.error!.context;
		const unknown = (outcomesUnknown as Named[]).map(({ referenceNumber }) => referenceNumber);
		const reference = referenceOf(itemIndex as number);
		if (outcome === 'unknown') expect(unknown).toContain(reference);
		return {
			made: paymentsMade as Named[],
			unknown,
			notMade: outcome === 'unknown' ? [] : [reference],
		};
	}
	const outcomes = execution.json().map((json, index) => {
		const details = json.details as IDataObject | undefined;
		if (!details) expect(json.referenceNumber).toBe(referenceOf(index));
		return {
			reference: referenceOf(index),
			paymentId: json.id as string,
			outcome: details?.outcome,
		};
	});
	return {
		made: outcomes
			.filter(({ outcome }) => outcome === undefined)
			.map(({ reference, paymentId }) => ({ referenceNumber: reference, paymentId })),
		unknown: outcomes.filter(({ outcome }) => outcome === 'unknown').map((it) => it.reference),
		notMade: outcomes
			.filter(({ outcome }) => outcome !== undefined && outcome !== 'unknown')
			.map((it) => it.reference),
	};
}

/**
 * Holds an execution against what the sandbox has really made.
 * @param earlier the payments, by reference, of which the execution before this one knew that they were made
 * @returns the same for this one
 */
async function expectTruth(
	execution: Execution,
	mayResend: boolean,
	earlier: Record<string, number> = {},
): Promise<Record<string, number>> {
	await until(() => sandbox.requests.every(({ endedAt }) => endedAt !== undefined));
	const payments = countsByReference(sandbox);
	const { made, unknown, notMade } = told(execution);
	const namesOfMade = made.map(({ referenceNumber }) => referenceNumber);

	for (const { referenceNumber, paymentId } of made) {
		const ids = sandbox.payments
			.filter((payment) => payment.referenceNumber === referenceNumber)
			.map(({ id }) => id);
		expect(ids).not.toEqual([]);
		expect([...ids, UNTOLD_ID]).toContain(paymentId);
	}
	for (const reference of notMade) expect(payments).not.toHaveProperty(reference);
	expect([...namesOfMade, ...unknown]).toEqual(expect.arrayContaining(Object.keys(payments)));
	if (!mayResend) expect(Object.values(payments).filter((count) => count > 1)).toEqual([]);
	expect(payments).toMatchObject(earlier);
	return Object.fromEntries(namesOfMade.map((reference) => [reference, payments[reference]]));
}

it('each item has one payment, or an error that tells the truth', async () => {
	const property = fc.asyncProperty(scenario, async (it) => {
		// A request that was given up in the case before may still be on its way.
		await sleep(50);
		sandbox.reset();
		engine.log.clear();
		if (it.tokenIsCold) await engine.credential.setOauthTokenData(undefined);
		orderTroubles(it);
		const items: IDataObject[] = orders(it.count);
		if (it.invalidItem !== undefined && it.invalidItem < it.count) items[it.invalidItem].amount = 0;

		const running = engine.startNode({ node: nodeFor(it, it), items });
		if (it.stopAfter !== undefined) {
			let isOver = false;
			void running.finished.then(() => (isOver = true));
			await until(() => isOver || sandbox.requests.length >= it.stopAfter!);
			running.cancel();
		}
		let execution = await running.finished;
		let mayResend = it.resendUnknown;
		let made = await expectTruth(execution, mayResend);

		for (const { resendUnknown } of it.retries) {
			if (execution.status !== 'error') return;
			mayResend ||= resendUnknown;
			execution = await engine.retry(execution, savedWith(nodeFor(it, { resendUnknown })));
			made = await expectTruth(execution, mayResend, made);
		}
		if (execution.status !== 'error') return;
		sandbox.faults.clear();
		execution = await engine.retry(execution, savedWith(nodeFor(it, { resendUnknown: false })));
		await expectTruth(execution, mayResend, made);
		if (execution.status === 'error') {
			expect(['invalid', 'unknown']).toContain(execution.error!.context.outcome);
		}
	});
	await fc.assert(property, { numRuns: 250 });
}, 180_000);
