import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

import { EXAMPLES_DIR, exampleNames } from './exampleFiles';
import { drawnExamples } from './exampleSources';

/** Writes the examples' files from their sources, and removes files that have none. */
async function main(): Promise<void> {
	const examples = drawnExamples();
	for (const name of exampleNames()) {
		if (!examples.has(name)) rmSync(join(EXAMPLES_DIR, `${name}.json`));
	}
	for (const [name, workflow] of examples) {
		const filepath = join(EXAMPLES_DIR, `${name}.json`);
		const options = { ...(await resolveConfig(filepath)), filepath };
		writeFileSync(filepath, await format(JSON.stringify(workflow), options));
	}
	console.log(`${examples.size} examples`);
}

void main();
