/** For Stryker: the unit tests alone, which decide in milliseconds whether a mutant is noticed. */
const [unit] = require('./jest.config').projects;

module.exports = {
	...unit,
	testMatch: ['<rootDir>/test/unit/**/*.test.ts'],
	// They take megabytes of text: Stryker counts each step in it, and its first run took 15 minutes with them.
	testPathIgnorePatterns: ['/(time|patterns)\\.test\\.ts$'],
};
