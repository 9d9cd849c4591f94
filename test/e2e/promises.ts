import { DEFAULT_VERSION } from '../../tools/n8n/setup';

const EMPTY_SCOPE = "n8n sends an empty 'scope' along";
const SIGNATURE_ONLY = 'the signature alone wakes it';
const NO_SHARED_RENEWAL = 'each of them asks for a token';

/**
 * What is not so in every n8n, with what is so instead in the versions that are named. It is written down nowhere else
 * but in the table of docs/versions.md.
 */
const EXCEPTIONS = {
	'token requests hold what is documented and nothing else': {
		'1.123.81': EMPTY_SCOPE,
		'2.0.3': EMPTY_SCOPE,
	},
	'executions at the same time ask for one token': {
		'1.123.81': NO_SHARED_RENEWAL,
		'2.0.3': NO_SHARED_RENEWAL,
		'2.20.12': NO_SHARED_RENEWAL,
	},
	"a parked execution is woken by AcountPay's signature and n8n's token together": {
		'1.123.81': SIGNATURE_ONLY,
		'2.0.3': SIGNATURE_ONLY,
	},
	'QR codes are stored as files': {
		'1.123.81': 'they are stored within the execution',
	},
	"expressions find other nodes with n8n's own settings": {
		'1.123.81': "only when its expression engine is 'legacy'",
	},
	"n8n's command line imports a workflow that has an ID": {
		'2.0.3': 'it refuses it',
	},
	'n8n keeps what a trigger has stored when another node writes after a long wait': {
		'2.41.1': 'it drops it, and the trigger stores it again',
	},
	'n8n has a trigger look at its webhook when it starts': {
		'2.41.1': 'the first delivery that fits no secret does',
	},
} satisfies Record<string, Record<string, string>>;

/** Something that is not so in every n8n. */
export type VaryingPromise = keyof typeof EXCEPTIONS;

/** All of them, each the beginning of the name of a test. */
export const VARYING_PROMISES = Object.keys(EXCEPTIONS) as VaryingPromise[];

/** The n8n that the end-to-end tests run: the one that the variable `TEST_N8N_VERSION` names, if it does. */
export const testedVersion = (): string => process.env.TEST_N8N_VERSION ?? DEFAULT_VERSION;

/**
 * Tests a promise; in the versions in which it can't be kept, under a name that says so, what is so instead.
 *
 * @param kept the test of the promise
 * @param instead the test for the other versions
 */
export function itIsPromised(
	promise: VaryingPromise,
	kept: () => Promise<void>,
	instead: () => Promise<void>,
): void {
	const exceptions: Record<string, string> = EXCEPTIONS[promise];
	const exception = exceptions[testedVersion()];
	if (exception === undefined) it(promise, kept);
	else it(`${promise}: not kept, ${exception}`, instead);
}
