"""What recognisers have to find, have to leave alone, and must not take long on.

In the examples, «» stand around what is to be found; without them it is the whole text.
"""

HITS: dict[str, list[str]] = {
    "STREET_ADDRESS": [
        "12 Main Street",
        "1600 Pennsylvania Avenue NW, Washington, DC 20500",
        "742 Evergreen Terrace, Springfield, IL 62704",
        "350 Fifth Ave., Apt 4B",
        "10 Downing Street, London SW1A 2AA",
        "Flat 3, 22 Baker Street",
        "221B Baker Street",
        "45 W 34th St, New York, NY 10001",
        "Unit 5, 120 Collins Street, Melbourne VIC 3000",
        "221 King Street West, Toronto, ON M5H 1K5",
        "9429 Smith Mills Suite 123\nNew Johnmouth, TX 12345",
        "4 Smith crossing\nWest Ann\nW1D 2PQ",
        "PSC 1234, Box 5678\nAPO AP 96321",
        "USNS Smith\nFPO AE 12345",
        "500 Highway 89",
        "12 Broadway",
        "H.No. 12/3, Gandhi Nagar",
        "he lives at «123 main street», near us",
        "1 Rue de Rivoli, 75001 Paris",
        "12 bis avenue des Champs-Élysées",
        "17 rue du Faubourg Saint-Honoré, 75008 PARIS",
        "Hauptstraße 12, 10115 Berlin",
        "Berliner Str. 5a",
        "Königsallee 60, 40212 Düsseldorf",
        "Am Markt 3, 55116 Mainz",
        "Via Roma 12, 00184 Roma",
        "Viale dei Giardini, 3",
        "Calle de Alcalá, 45, 28014 Madrid",
        "Calle 26 # 59-51",
        "Avenida Paulista, 1578",
        "Rua Augusta, 100",
        "Keizersgracht 123, 1015 CJ Amsterdam",
        "ul. Marszałkowska 10/5, 00-590 Warszawa",
        "Drottninggatan 5",
        "Storgatan 12 A, 111 23 Stockholm",
        "Vesterbrogade 3",
        "Karl Johans gate 22",
        "Mannerheimintie 12",
        "Kungsvägen 7",
        "Atatürk Caddesi No: 12",
        "ул. Ленина, д. 5",
        "東京都千代田区丸の内1-9-1",
    ],
    "PO_BOX": [
        "PO Box 1234",
        "P.O. Box 12",
        "P. O. Box 991",
        "Post Office Box 77",
        "Postfach 12 34 56",
        "Apartado 1234",
        "Boîte postale 55",
        "Postbus 123",
        "GPO Box 2890",
    ],
    "ZIP_CODE": [
        "Your billing zip code is: «71701».",
        "ZIP: «90210-1234»",
        "Postcode «SW1A 1AA»",
        "Springfield, IL «62704»",
        "K1A 0B1",
        "EC1A 1BB",
        "PLZ «10115»",
        "«D-10115» Berlin",
        "12345-6789",
        "CEP «01310-100»",
    ],
    "LOCATION": [
        "in «France», then",
        "«Springfield, IL»",
        "«United Kingdom»",
        "in the «US».",
        "«New York»",
        "«Cote d'Ivoire»",
        "from «Berlin» to",
    ],
    "NRP": ["a «French» citizen", "a «Muslim» man", "two «Germans»", "«Sri Lankan»"],
    "PERSON": [
        "my name is «Anna Schmidt».",
        "Mr. «John Smith»'s card",
        "Dr. «van der Berg»",
        "Dear «Anna»,",
        "Hi «Peter», thanks",
        "Regards,\n«John Smith»",
        "this is «Maria Lopez» calling",
        "customer name: «Zofia Nowak»",
        '"last_name": "«O\'Neil»"',
    ],
    "ORGANIZATION": ["Acme Widgets Inc.", "Siemens AG", "Johnson, Miller and Clark LLP"],
    "TITLE": [
        "«Mr.» Smith",
        "«Mrs» Jones",
        "«Dr.» House",
        "«Herr» Müller",
        "«Mme» Curie",
        "«Sra.» García",
    ],
    "AGE": [
        "«35» years old",
        "a «35»-year-old man",
        "aged «35»",
        "age: «35»",
        "I am «35», and",
        "She is «42».",
        "«thirty-five» years old",
        "turned «40».",
    ],
    "DATE_OF_BIRTH": [
        "born «12 March 1985»",
        "DOB: «03/05/1985»",
        "date of birth is «1985-03-05»",
        "born on «March 5, 1985»",
        "born in «1985»",
        "D.O.B. «5.3.85»",
        "birthday: «4 July»",
        "geboren am «12.03.1985»",
        '"birth_date": "«1985-03-05»"',
    ],
    "DATE_TIME": [
        "2024-03-05",
        "05.03.2024",
        "3/5/2024",
        "3/5/24",
        "2024/03/05",
        "2024-03-05T14:33:21Z",
        "March 5, 2024",
        "5 March 2024",
        "5th of March",
        "Mar 5",
        "May 2024",
        "Monday, March 4th, 2024 at 3:45 PM",
        "12 march 2024",
        "21 DEC 2020",
        "10-Oct-2023",
        "12 mars 2024",
        "5. März 2024",
        "5 de marzo de 2024",
    ],
    "URL": [
        "https://example.com/a?b=c",
        "see «http://10.0.0.1/x».",
        "www.example.com/path",
        "ftp://files.example.org",
        "example.com/user/12",
    ],
    "DOMAIN_NAME": ["example.com", "www.example.co.uk", "my-shop.de", "on «DressJob.com»."],
    "USERNAME": [
        "@jane_doe",
        "pay «ann.b@okbank» now",
        "username: «jdoe»",
        "user name is «jdoe42»",
        '"username": "«alice.b»"',
    ],
    "PASSWORD": [
        "password: «hunter2!»",
        "pwd=«S3cret»",
        "my password is «Winter2024».",
        "postgres://app:«s3cr3t»@db/x",
        "PIN: «4821»",
        "her password «Start@2025»",
        "with password '«B@nZes94!»', a",
        "ann@example.com / «W!nter2024».",
        '"password": "«abc123»"',
    ],
    "API_KEY": [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
        "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
        "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
        "sk-" + "proj-abcdefghij1234567890ABCDEFGHIJ",
        "xoxb-" + "123456789012-abcdefGHIJKL",
        "api_key=«9f8a7b6c5d4e3f2a1b0c»",
        "Authorization: Bearer «abcDEF123456ghiJKL7890»",
    ],
    "JWT": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_Xg"],
    "PRIVATE_KEY": [
        "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEowIBAAKCAQEA7Zk=\n-----END RSA PRIVATE KEY-----",
        "«-----BEGIN " + "PRIVATE KEY-----\nMIIEowIBAAKCAQEA7Zk=» is cut off here",
    ],
    "VIN": ["1HGCM82633A004352", "VIN «WVWZZZ1JZXW000001»"],
    "IMEI": ["IMEI «490154203237518»", "35-209900-176148-1"],
    "MEDICAL_RECORD_NUMBER": [
        "MRN: «00123456»",
        "medical record number «4482-19»",
        "Patient ID «AHC-0933289»",
    ],
    "ACCOUNT_NUMBER": [
        "account number: «12345678»",
        "Acct #: «998-221-1»",
        "sort code «12-34-56»",
    ],
    "ID_NUMBER": [
        "Employee ID «E12345»",
        "policy number: «POL-99812»",
        "insurance policy #«88291-LK»",
        "member ID «1234567»",
        "ID number «24681357K»",
        "national id «123 456 789»",
    ],
    "PASSPORT": [
        "passport number «XG9382049»",
        "Passport No. «C01X00T47»",
        "passport: «123456789»",
        "Reisepass «C4VPYTHJ2»",
    ],
    "DRIVER_LICENSE": [
        "driver's license «D123-4567-8901»",
        "driving licence number «MORGA753116SM9IJ»",
        "Führerschein «B072RRE2I55»",
    ],
    "LICENSE_PLATE": ["license plate «ABC 1234»", "number plate «AB12 CDE»"],
    "CARD_SECURITY_CODE": ["CVV «123»", "CVC: «4321»"],
    "GPS_COORDINATE": ["40.7128, -74.0060", "40°42'46\"N 74°00'21\"W", "lat: «40.71»"],
    "PHONE_NUMBER": [
        "(212) 555-0187",
        "212-555-0187",
        "212.555.0187",
        "+44 20 7946 0958",
        "+1-212-555-0187",
        "001-212-555-0187x123",
        "(212) 555-0187 ext. 22",
        "020 7946 0958",
        "06 12 34 56 78",
        "(030) 1234567",
        "+49 (0)30 1234567",
        "0044 20 7946 0958",
        "+91 98765 43210",
        "call «555-0199» now",
        "tel: «5550199»",
        "phone «07700900123»",
        "call me at «4155550187»",
    ],
    "CREDIT_CARD": [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111  1111  1111  1111",
        "3782-822463-10005",
        "3782 822463 10005",
        "credit card «4716 9876 2234 1561»",
    ],
    "IBAN_CODE": [
        "DE89 3704 0044 0532 0130 00",
        "GB29NWBK60161331926819",
        "GB29-NWBK-6016-1331-9268-19",
        "gb29 nwbk 6016 1331 9268 19",
        "NO93 8601 1117 947",
    ],
    "EMAIL_ADDRESS": ["a.b+c@example.com", "'«bob@x.co.uk»'", "x_y@sub.example.internal"],
    "US_SSN": ["521-44-9382", "521 44 9382", "521.44.9382", "SSN: «521449382»"],
    "AT_SVNR": ["SVNR «1237 010180»"],
    "BE_NN": ["85.07.30-033.28"],
    "BG_EGN": ["EGN «7523169263»"],
    "BR_CPF": ["390.533.447-05", "CPF «39053344705»"],
    "CA_SIN": ["123-456-782", "SIN «123 456 782»"],
    "CH_AHV": ["756.9217.0769.85"],
    "CL_RUT": ["12.531.909-2"],
    "CN_RIC": ["360426199101010071"],
    "CZ_RC": ["710319/2745"],
    "DE_TAX_ID": ["Steuer-ID «36 574 261 809»"],
    "DK_CPR": ["211062-5629"],
    "EE_IK": ["isikukood «36805280109»"],
    "ES_NIE": ["X-2482300W", "X2482300W"],
    "ES_NIF": ["54362315K", "54362315-K", "54.362.315-K"],
    "FI_PERSONAL_IDENTITY_CODE": ["131052-308T"],
    "FR_NIR": ["2 95 10 99 126 111 93", "295109912611193"],
    "GR_AMKA": ["AMKA «01013099997»"],
    "HR_OIB": ["OIB «33392005961»"],
    "IE_PPS": ["6433435F", "PPSN «6433435 F»"],
    "IL_ID": ["zehut «039337423»"],
    "IN_AADHAAR": ["Aadhaar «2341 2341 2346»"],
    "IS_KENNITALA": ["450401-3150"],
    "IT_FISCAL_CODE": ["RSSMRA85T10A562S"],
    "JP_MY_NUMBER": ["My Number «6214 9832 0257»"],
    "LT_AK": ["asmens kodas «33309240064»"],
    "LV_PK": ["161175-19997"],
    "MX_CURP": ["BOXW310820HNERXN09"],
    "MY_NRIC": ["770305-02-1234"],
    "NL_BSN": ["BSN «111222333»", "BSN «1112.22.333»"],
    "NO_FNR": ["fødselsnummer «151086 95088»"],
    "PK_CNIC": ["34201-0891231-8"],
    "PL_PESEL": ["PESEL «44051401359»"],
    "PT_NIF": ["NIF «123 456 789»"],
    "RO_CNP": ["CNP «1630615123457»"],
    "AU_TFN": ["my tax file number is «123 456 782»", "TFN: «123456782»"],
    "DE_SOCIAL_SECURITY": ["Sozialversicherungsnummer «12 130646 B 275»"],
    "SE_PERSONNUMMER": ["880320-0016", "personnummer «8803200016»"],
    "SI_EMSO": ["EMŠO «0101006500006»"],
    "TH_TNIN": ["1-2345-45678-78-1"],
    "TR_NATIONAL_ID": ["TCKN «17291716060»"],
    "UK_NHS": ["943 476 5919"],
    "UK_NINO": ["AB 12 34 56 C", "AB123456C"],
    "US_ITIN": ["912-90-3457"],
}
NEAR_MISSES = """Our turkey is cooked in the chad of May, and Will said so.
We may march on.
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
Mars is 4 light minutes away""".splitlines()
HOSTILE = [
    *("a", "1", "1 ", "1 1 1 ", "@", ".", "-", " ", "a@", "0.0.0.", "a.", "a-", "A ", "Aa ", "_"),
    *("12 Main Street, ", "1 A ", "(", "/", ":", "0:", "\n", "password: ", "eyJ", "http://", "a/"),
    *("-----BEGIN PRIVATE KEY-----", "+1 ", "AB12 ", "May 1 ", "é", "12-", "(1)", "Dr. A", "12/"),
    *("born ", "passport ", "phone 1", "Via A ", "United ", "api_key=a1", "%41", '"a', "+", "#1"),
    *("+4912345", "東京都1", "hello world ", "a@a.", "1a", "Aa-", "Straße ", "12 rue de la "),
]
