const { spawnSync } = require('node:child_process');
const { dest, parallel, series, src } = require('gulp');
const { rimraf } = require('rimraf');

const clean = () => rimraf('dist');

const compile = async () => {
	const tsc = require.resolve('typescript/bin/tsc');
	const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json'], {
		stdio: 'inherit',
	});
	if (status !== 0) throw new Error('tsc found the errors above');
};

// Only our own assets: n8n's build tool copies every png and svg of the repository into what is published.
const icons = () => src('icons/*.svg', { encoding: false }).pipe(dest('dist/icons'));
const schemas = () =>
	src('nodes/**/__schema__/**/*.json', { allowEmpty: true, base: 'nodes' }).pipe(
		dest('dist/nodes'),
	);

exports.build = series(clean, compile, parallel(icons, schemas));
