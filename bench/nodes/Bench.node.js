const { Session } = require('node:inspector/promises');
const { setTimeout: sleep } = require('node:timers/promises');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

/** How long V8 goes on sweeping after it has collected garbage, generously, in ms. */
const SWEEPING_MS = 500;
/** Profiles the measured node, when that is wanted. */
let session;

/**
 * Stands before and behind the measured node. Before it, makes items that ask for one payment each, and begins a profile as the
 * last thing it does. Behind it, ends the profile and says how long the measured node took. n8n loads it from this folder.
 */
exports.Bench = class {
	description = {
		displayName: 'Bench',
		name: 'bench',
		group: ['input'],
		version: 1,
		description: 'Makes items, or says what the node before it took',
		defaults: { name: 'Bench' },
		inputs: ['main'],
		outputs: ['main'],
		properties: [{ displayName: 'Measured Node', name: 'measured', type: 'string', default: '' }],
	};

	async execute() {
		const measured = this.getNodeParameter('measured', 0);
		if (!measured) return [await begin(this.getInputData()[0].json.body)];
		const { profile } = (await session?.post('Profiler.stop')) ?? {};
		session?.disconnect();
		session = undefined;
		// Not part of what n8n offers to nodes; the stored execution says the same, but loading one of 10,000 items moves the memory.
		const [{ executionTime }] = this.runExecutionData.resultData.runData[measured];
		return [[{ json: { ms: executionTime, profile } }]];
	}
};

async function begin({ count, isProfiled }) {
	const items = Array.from({ length: count }, (_, index) => ({
		json: {
			merchant: `merchant_${index % 7}`,
			amount: (10_000 + index) / 100,
			reference: `ORDER-${index}`,
		},
	}));
	// What earlier runs left behind is not this run's.
	setFlagsFromString('--expose-gc');
	runInNewContext('gc')();
	await sleep(SWEEPING_MS);
	if (isProfiled) {
		session = new Session();
		session.connect();
		await session.post('Profiler.enable');
		await session.post('Profiler.start');
	}
	return items;
}
