import { webhookSecretIn } from '../../../../nodes/shared/api/webhookSecret';

it.each([
	['whsec_0123456789abcdef', 'whsec_0123456789abcdef'],
	['  whsec_1  ', 'whsec_1'],
	['a.b..c x*y**z', 'a.b..c x*y**z'],
	['', ''],
	['   ', ''],
	[undefined, ''],
	[null, ''],
	[{}, ''],
	[12, ''],
	['whsec_••••', ''],
	['●●●●●●', ''],
	['whsec_…1234', ''],
	['whsec_...1234', ''],
	['whsec_***', ''],
	[`whsec_${'x'.repeat(12)}`, ''],
])('in the field %j the secret is %j', (webhookSecret, secret) => {
	expect(webhookSecretIn({ webhookSecret })).toBe(secret);
});
