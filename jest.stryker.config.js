/** For Stryker: the unit tests alone, which decide in milliseconds whether a mutant is noticed. */
const [unit] = require('./jest.config').projects;

module.exports = { ...unit, testMatch: ['<rootDir>/test/unit/**/*.test.ts'] };
