import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

const npm = (...args: string[]) =>
	execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** What would be published, with the SHA-1 of the tarball. */
const pack = () => {
	const [packed] = JSON.parse(npm('pack', '--dry-run', '--ignore-scripts', '--json')) as Array<{
		size: number;
		shasum: string;
		files: Array<{ path: string }>;
	}>;
	return { ...packed, paths: packed.files.map(({ path }) => path).sort() };
};

const hashOf = (path: string) =>
	createHash('sha256')
		.update(readFileSync(join(ROOT, path)))
		.digest('hex');

jest.setTimeout(120_000);

it('the package holds what a user needs and nothing else', () => {
	const { paths, size } = pack();
	const compiled = paths.filter((path) => path.startsWith('dist/'));
	expect(paths.filter((path) => !compiled.includes(path))).toEqual([
		'CHANGELOG.md',
		'LICENSE',
		'README.md',
		'package.json',
	]);
	for (const path of compiled) {
		expect(path).toMatch(
			/^dist\/(credentials\/[A-Za-z]+\.credentials\.js|nodes\/[A-Za-z0-9/.]+\.js|nodes\/[A-Za-z]+\/[A-Za-z]+\.node\.json|nodes\/[A-Za-z]+\/__schema__\/v1\.0\.0\/[A-Za-z/]+\.json|icons\/acountpay(\.dark)?\.svg)$/,
		);
	}
	expect(compiled).toEqual(
		expect.arrayContaining([
			'dist/credentials/AcountPayApi.credentials.js',
			'dist/credentials/AcountPayKeyApi.credentials.js',
			'dist/icons/acountpay.dark.svg',
			'dist/icons/acountpay.svg',
			'dist/nodes/AcountPay/AcountPay.node.js',
			'dist/nodes/AcountPay/AcountPay.node.json',
			'dist/nodes/AcountPayTrigger/AcountPayTrigger.node.js',
			'dist/nodes/AcountPayTrigger/AcountPayTrigger.node.json',
		]),
	);
	// About 103 kB, for two credentials, 13 operations and the trigger. A picture or a bundled library would go beyond it.
	expect(size).toBeLessThan(110_000);
});

it('building again gives the same bytes', () => {
	const before = pack();
	const hashes = before.paths.map(hashOf);
	npm('run', 'build');
	const after = pack();
	expect(after.paths).toEqual(before.paths);
	expect(after.paths.map(hashOf)).toEqual(hashes);
	expect(after.shasum).toBe(before.shasum);
});

it('nothing is needed at run time but n8n', () => {
	const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
		string,
		unknown
	>;
	expect(manifest.dependencies).toBeUndefined();
	expect(manifest.peerDependencies).toEqual({ 'n8n-workflow': '*' });
	const required = pack()
		.paths.filter((path) => path.endsWith('.js'))
		.flatMap((path) => [
			...readFileSync(join(ROOT, path), 'utf8').matchAll(/require\("([^"]+)"\)/g),
		])
		.map(([, name]) => name)
		.filter((name) => !name.startsWith('.'));
	expect([...new Set(required)].sort()).toEqual(['n8n-workflow', 'node:crypto']);
});
