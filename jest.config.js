/** Three suites, each a folder: what they need and how long they take differ (see CONTRIBUTING.md). */
const project = (name, extra = {}) => ({
	displayName: name,
	testEnvironment: 'node',
	testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
	transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.dev.json', diagnostics: false }] },
	modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.stryker-tmp/'],
	...extra,
});

module.exports = {
	projects: [project('unit'), project('engine'), project('e2e')],
};
