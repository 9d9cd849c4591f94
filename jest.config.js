/** The suites, each a folder: they differ in what they need and in how long they take (see test/README.md). */
const suite = (name, extra = {}) => ({
	displayName: name,
	testEnvironment: 'node',
	testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
	transform: {
		'^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.dev.json', diagnostics: false }],
		// An ES module, which the build turns into CommonJS as well (see gulpfile.js).
		'/node_modules/qr/.+\\.js$': [
			'ts-jest',
			{ tsconfig: { allowJs: true, module: 'commonjs' }, diagnostics: false },
		],
	},
	transformIgnorePatterns: ['/node_modules/(?!qr/)'],
	modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.stryker-tmp/'],
	...extra,
});

// Drawing and reading a QR code calls Math for each pixel, which takes 50 times as long through the border of jest's own context.
const withSandbox = { sandboxInjectedGlobals: ['Math'] };

// These run what is in dist, which is compiled first when a source is newer.
const onBuild = { globalSetup: '<rootDir>/test/kit/build.ts' };

module.exports = {
	testSequencer: '<rootDir>/test/longestFirst.js',
	projects: [
		suite('unit', withSandbox),
		suite('sandbox', withSandbox),
		suite('package', onBuild),
		suite('engine', { ...withSandbox, ...onBuild }),
		suite('e2e', {
			...withSandbox,
			globalSetup: '<rootDir>/test/e2e/setup.ts',
			globalTeardown: '<rootDir>/test/e2e/teardown.ts',
		}),
		suite('queue', { globalSetup: '<rootDir>/test/queue/setup.ts' }),
	],
};
