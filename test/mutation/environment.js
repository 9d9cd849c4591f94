/** For Stryker: a changed module is noticed with the first test that fails, so the others are left out. */
const { TestEnvironment } = require('jest-environment-node');

module.exports = class extends TestEnvironment {
	hasFailed = false;

	handleTestEvent({ name, test }) {
		if (name === 'test_fn_failure' || name === 'hook_failure') this.hasFailed = true;
		if (name === 'test_start' && this.hasFailed) test.mode = 'skip';
	}
};
