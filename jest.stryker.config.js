/** For Stryker: the unit tests alone, which decide in milliseconds whether a mutant is noticed. */
const [unit] = require('./jest.config').projects;

module.exports = {
	...unit,
	testEnvironment: require.resolve('./test/mutation/environment.js'),
	setupFiles: [require.resolve('./test/mutation/properties.js')],
	// tools/mutation.ts names those that are near to what is mutated.
	testMatch: process.env.MUTATION_TESTS.split(',').map((path) => `<rootDir>/${path}`),
	// They take megabytes of text: Stryker counts each step in it, and its first run took 15 minutes with them.
	testPathIgnorePatterns: ['/(time|patterns)\\.test\\.ts$'],
};
