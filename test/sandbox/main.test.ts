import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { http } from './client';

/** The program with these options, as `npm run sandbox -- …` starts it. */
function run(...options: string[]) {
	const args = ['--import', 'tsx', 'sandbox/main.ts', ...options];
	const program = spawn(process.execPath, args, { cwd: join(__dirname, '../..') });
	const output = { stdout: '', stderr: '' };
	program.stdout.on('data', (chunk) => (output.stdout += chunk));
	program.stderr.on('data', (chunk) => (output.stderr += chunk));
	return { program, output, ended: once(program, 'close') };
}

describe('npm run sandbox', () => {
	it.each(['SIGINT', 'SIGTERM'] as const)(
		'says what is needed, and ends by %s',
		async (signal) => {
			const { program, output, ended } = run(
				...['--port', '0', '--client-id', 'me', '--client-secret', 'mine', '--control'],
				...['--webhook-secret', 'ours', '--latency', '30'],
				...['--key-id', 'my-key', '--key-secret', 'my-key-secret'],
			);
			try {
				while (!output.stdout.includes('Ctrl-C')) {
					expect([program.exitCode, output.stderr]).toEqual([null, '']);
					await sleep(50);
				}
				for (const text of [
					'test_merchant_slow',
					'Client ID       me',
					'mine',
					'ours',
					'my-key',
					'my-key-secret',
				]) {
					expect(output.stdout).toContain(text);
				}
				const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output.stdout)![0];
				const start = Date.now();
				const form = { grant_type: 'client_credentials', client_id: 'me', client_secret: 'mine' };
				expect((await http.post(`${url}/oauth/token`, new URLSearchParams(form))).status).toBe(200);
				expect(Date.now() - start).toBeGreaterThanOrEqual(29);
				expect((await http.get(`${url}/_sandbox/requests`)).data).toHaveLength(1);
			} finally {
				program.kill(signal);
			}
			expect(await ended).toEqual([0, null]);
		},
		20_000,
	);

	it.each([
		[['--port', 'x'], "--port takes a whole number, not 'x'"],
		[['--latency', '-1'], '--latency'],
		[['--colour'], "Unknown option '--colour'"],
	])(
		'refuses %j',
		async (options, said) => {
			const { output, ended } = run(...options);
			expect(await ended).toEqual([1, null]);
			expect(output.stderr).toContain(said);
		},
		20_000,
	);
});
