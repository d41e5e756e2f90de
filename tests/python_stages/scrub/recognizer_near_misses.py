"""Texts in which no recogniser may find anything, and texts that shall not stop one."""

NEAR_MISSES = """Our turkey is cooked in the chad of May, and Will said so.
We may march on.
ABCDEFGHKLMNPRS12
the US$ 5 million deal
Revenue grew 12% to 1,234,567.89 EUR in Q3 2024.
Order 123456789 shipped.
version 2.10.15 released
ISO 9001:2015
Section 5(1) of the Act, [2004] 1 AC 12
see 123 F.3d 456 (9th Cir. 1997)
It costs 500 to 600 dollars per road
2 way street parking, 3 lane road
He had 10 court appearances
The 5 Great Lakes are big
The company is open Monday to Friday
three days ago, last week, in 2019
The speed is 100 km/h; 24/7 support
ratio 3/4 and 10/12
call 24 hours
the password is required
Password: required
reset your password to continue
password: xxxxxxxx
password: ****
Formel-Ring 2019 Sieger
login is needed
user name must be valid
@Override public void x()
email me at the office
foo.py and README.md and setup.sh
end of sentence.It was
e.g. this i.e. that
20 years of experience
5 year plan
over the age of 18
I am 90% sure
I am 5 minutes away
aged 18-35
Hi there, Dear Customer, Dear Sir or Madam, Hello World
Best regards,\\nThe Support Team
Thank you for shopping
Mr and Mrs
MS Office and PR work
Invoice INV1234567 for 4,500.00
Ticket #48291 was closed
SKU AB-12345-XL
The account was closed in 2023
your account manager will call
part no. 5550199
Flight BA2490 departs 14:30
ISBN 978-3-16-148410-0
sk-learn and key-value
token economy is here
bearer of bad news
secret: none
Chapter 11 Court ruling
Apple iPhone 12 Drive
Spring 2024 collection
Grade 5 students
Via Email 2024 notice
Phase 2 Court
Boeing 747 Square
Type AB blood
cap 5000
pin 5
Driver license renewal
policy: 2024 update
claim: 100% free
service: 24/7
member since 2019
contact us: monday
personal: 1234
military service 1990
4111 1111 1111 1112
DE88 3704 0044 0532 0130 00
passport renewal takes 2024 hours
the passport is expired
password protection is on
clone from the server at noon
1HGCM82633A004353
390.533.447-06
eyJhbGciOiJub3.eyJzdWIiOiIxIn0
40.7, 74.0
0.12, 0.35
12 apples and 15 pears
Windows 11 Pro
The 1st of all
Mars is 4 light minutes away
contact the office at 10:30
call 2019-2020 a good year
license 2024 renewal of a licence in 2023
the software license costs 1200
123456789012
6759 6498 2657
the card 1234 was closed
I'm 5 and a half minutes late
she's 20 percent faster
died at 9 pm
retired at the end
Hearing 12, 2024 Order
Spring 53, 2024 edition
Smith et al. 2019
Boulevard of dreams in 2024
The Parque is open
golf tee 5
gang of 4""".splitlines()
HOSTILE = [
    *("a", "1", "1 ", "1 1 1 ", "@", ".", "-", " ", "a@", "0.0.0.", "a.", "a-", "A ", "Aa ", "_"),
    *("12 Main Street, ", "1 A ", "(", "/", ":", "0:", "\n", "password: ", "eyJ", "http://", "a/"),
    *("-----BEGIN PRIVATE KEY-----", "+1 ", "AB12 ", "May 1 ", "é", "12-", "(1)", "Dr. A", "12/"),
    *("born ", "passport ", "phone 1", "Via A ", "United ", "api_key=a1", "%41", '"a', "+", "#1"),
    *("+4912345", "東京都1", "hello world ", "a@a.", "1a", "Aa-", "Straße ", "12 rue de la "),
    *("call a ", "a@a.aa ", "zip code a ", "Aa Aa, ", "Via A 1 Piano 1 ", "1 phố A ", "Jalan A "),
    *("Aring 1, ", "licence ", "A tee 1-", "6304-", "at the age of "),
]
