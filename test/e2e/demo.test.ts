/** The demo as a person starts it, with `--once`: it pays in the person's place and ends. */
import { join } from 'node:path';

import { npmScript, startNode } from '../../tools/child';

// It starts an n8n of its own.
jest.setTimeout(400_000);

const ROOT = join(__dirname, '../..');

async function demo(...options: string[]) {
	const child = startNode([npmScript(), 'run', '--silent', 'demo', '--', '--once', ...options], {
		cwd: ROOT,
		env: process.env,
	});
	const code = await child.ended;
	return { code, output: child.output() };
}

it.each([
	['access tokens', [], ['token 200', 'create 201', 'get 200'], 'pending'],
	['keys', ['--keys'], ['create 201', 'get 200'], 'completed'],
])(
	'with %s payments are created and read, and a sale is paid',
	async (_what, options, requests, status) => {
		const { code, output } = await demo(...options);
		expect([code, output]).toEqual([0, expect.stringContaining('6. Pay as the customer')]);
		for (const request of requests) expect(output).toMatch(new RegExp(`  ${request} +\\d+`));
		expect(output).toMatch(new RegExp(`Status +${status}`));
	},
);
