const { spawnSync } = require('node:child_process');
const { readFile, writeFile } = require('node:fs/promises');
const { dirname, join } = require('node:path');
const { dest, parallel, series, src } = require('gulp');
const { rimraf } = require('rimraf');
const { ModuleKind, ScriptTarget, transpileModule } = require('typescript');

const clean = () => rimraf('dist');

const compile = async () => {
	const tsc = require.resolve('typescript/bin/tsc');
	const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json'], {
		stdio: 'inherit',
	});
	if (status !== 0) throw new Error('tsc found the errors above');
};

// The package may have no dependency: the library that encodes QR codes, a single file, takes the place of the module that imports it.
const qrEncoder = async () => {
	const library = require.resolve('qr');
	const licence = await readFile(join(dirname(library), 'LICENSE-MIT'), 'utf8');
	const { outputText } = transpileModule(await readFile(library, 'utf8'), {
		compilerOptions: {
			module: ModuleKind.CommonJS,
			target: ScriptTarget.ES2022,
			removeComments: true,
		},
	});
	const { name, version } = JSON.parse(
		await readFile(join(dirname(library), 'package.json'), 'utf8'),
	);
	await writeFile(
		'dist/nodes/shared/qrCode/encoder.js',
		`/*!\n${name} ${version}\n\n${licence}*/\n${outputText}`,
	);
};

// Only our own assets: n8n's build tool copies every png and svg of the repository into what is published.
const icons = () => src('icons/*.svg', { encoding: false }).pipe(dest('dist/icons'));
const schemas = () =>
	src('nodes/**/__schema__/**/*.json', { allowEmpty: true, base: 'nodes' }).pipe(
		dest('dist/nodes'),
	);

exports.build = series(clean, compile, parallel(icons, schemas, qrEncoder));
