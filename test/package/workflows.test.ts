/**
 * What GitHub runs for this repository: only code that is named by its content, and only one job that may publish.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Step {
	uses?: string;
	run?: string;
}

interface Workflow {
	permissions: Record<string, string>;
	jobs: Record<string, { permissions?: Record<string, string>; steps: Step[] }>;
}

const ROOT = join(__dirname, '..', '..');
const FOLDER = join(ROOT, '.github', 'workflows');
const files = readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]);
const workflow = (text: string) => parse(text) as Workflow;
const jobsOf = (text: string) => Object.entries(workflow(text).jobs);

it.each(files)(
	'%s: every action is pinned by its commit, with the version beside it',
	(_, text) => {
		const steps = jobsOf(text).flatMap(([, { steps }]) => steps);
		const used = steps.flatMap(({ uses }) => uses ?? []);
		expect(used).not.toEqual([]);
		const lines = text.split('\n').filter((line) => /\buses:/.test(line));
		expect(lines).toHaveLength(used.length);
		for (const line of lines)
			expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
	},
);

it.each(files)(
	'%s: what may publish installs nothing and runs no code of this repository',
	(_, text) => {
		const { permissions } = workflow(text);
		expect(permissions['id-token']).toBeUndefined();
		for (const [, { permissions: its = permissions, steps }] of jobsOf(text)) {
			expect(Object.entries(its).filter(([, right]) => right === 'write')).toEqual(
				its['id-token'] ? [['id-token', 'write']] : [],
			);
			if (!its['id-token']) continue;
			expect(steps.flatMap(({ uses }) => uses ?? []).join()).not.toContain('checkout');
			const commands = steps.map(({ run }) => run ?? '').join('\n');
			expect(commands).not.toMatch(/npm (ci|i|install|run|test|exec)\b|npx/);
			expect(commands).toContain('--ignore-scripts');
		}
	},
);

it.each(['.ci/run', '.github/workflows/ci.yml', '.github/workflows/publish.yml'])(
	'%s installs what the lock file pins and then runs all tests',
	(path) => {
		expect(readFileSync(join(ROOT, path), 'utf8')).toMatch(
			/^(\s*- run: )?npm ci$[^]*^(\s*- run: )?npm run test:all$/m,
		);
	},
);

it('no install script of a dependency runs', () => {
	const settings = readFileSync(join(ROOT, '.npmrc'), 'utf8').split('\n');
	expect(settings).toContain('ignore-scripts=true');
	expect(settings).not.toContain('yes=true');
});
