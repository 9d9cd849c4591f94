/** The suites, each a folder: they differ in what they need and in how long they take (see CONTRIBUTING.md). */
const suite = (name, extra = {}) => ({
	displayName: name,
	testEnvironment: 'node',
	testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
	transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.dev.json', diagnostics: false }] },
	modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.stryker-tmp/'],
	...extra,
});

module.exports = {
	projects: [
		suite('unit'),
		suite('sandbox'),
		suite('package'),
		suite('engine'),
		suite('e2e', {
			globalSetup: '<rootDir>/test/e2e/setup.ts',
			globalTeardown: '<rootDir>/test/e2e/teardown.ts',
		}),
	],
};
