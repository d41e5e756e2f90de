"""The words of the gazetteers: places, nations, beliefs, and very common first names.

Countries come from CLDR through babel. Left out of every list is what means something else more
often than not when it begins with a capital: `Nice`, `Mobile`, `Reading`, `May`, `Will`, `Mark`.
"""

from functools import cache
from typing import Final


def listed(words: str, separator: str | None = None) -> tuple[str, ...]:
    """Return the words of a list that are separated by blanks, or by a sign if they hold blanks."""
    return tuple(word.strip() for word in words.split(separator))


_COUNTRIES_TOO: Final = """USA|U.S.A.|U.S.|UK|U.K.|UAE|U.A.E.|EU|USSR|Great Britain|Britain|England|
Scotland|Wales|Northern Ireland|Holland|Czech Republic|Ivory Coast|Cape Verde|Swaziland|Burma|
Macedonia|Bosnia|Hong Kong|Macau|Palestine|South Korea|North Korea|Republic of Ireland|
United States of America|the Netherlands|Democratic Republic of the Congo|Catalonia|Bavaria|Tuscany|
Provence|Normandy|Brittany|Andalusia|Sicily|Sardinia|Crete|Siberia|Crimea|Kurdistan|Kashmir|Tibet|
Latin America|Scandinavia|Middle East|Balkans|Caribbean|Europe|Asia|Africa|Oceania|Antarctica|
North America|South America|Central America|Deutschland|Österreich|Schweiz|España|Italia|Brasil|
México|Polska|Danmark|Sverige|Norge|Suomi|Nederland|België|Belgique"""
_NOT_COUNTRIES: Final = frozenset(
    {"World", "Unknown Region", "Pseudo-Accents", "Pseudo-Bidi", "Eurozone", "Chad", "EZ", "QO"}
)

US_STATES: Final = """Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|
Florida|Georgia|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|
Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|
New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|
Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|
West Virginia|Wisconsin|Wyoming|Puerto Rico|Ontario|Quebec|Québec|British Columbia|Alberta|Manitoba|
Saskatchewan|Nova Scotia|New Brunswick|Newfoundland|New South Wales|Queensland|Tasmania|
South Australia|Western Australia"""
STATE_CODES: Final = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|"
    "NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|PR|GU|VI|AS|MP|FM|MH|PW|AA|AE|AP"
)
OTHER_STATE_CODES: Final = "ON|QC|BC|AB|MB|SK|NS|NB|NL|PE|YT|NT|NU|NSW|VIC|QLD|TAS|ACT|SA|WA"

CITIES: Final = """London|Paris|Berlin|Madrid|Rome|Vienna|Brussels|Amsterdam|Rotterdam|The Hague|
Utrecht|Antwerp|Ghent|Lisbon|Dublin|Belfast|Edinburgh|Glasgow|Aberdeen|Cardiff|Swansea|Manchester|
Liverpool|Birmingham|Leeds|Sheffield|Newcastle|Bristol|Nottingham|Leicester|Southampton|Portsmouth|
Brighton|Plymouth|Oxford|Cambridge|Hamburg|Munich|München|Cologne|Köln|Frankfurt|Stuttgart|
Düsseldorf|Dortmund|Leipzig|Dresden|Hanover|Hannover|Nuremberg|Bremen|Zurich|Zürich|Geneva|Basel|
Lausanne|Salzburg|Innsbruck|Lyon|Marseille|Toulouse|Bordeaux|Strasbourg|Montpellier|Nantes|Lille|
Barcelona|Valencia|Seville|Sevilla|Bilbao|Malaga|Málaga|Zaragoza|Milan|Milano|Naples|Napoli|Turin|
Torino|Florence|Firenze|Venice|Bologna|Genoa|Palermo|Verona|Porto|Athens|Thessaloniki|Copenhagen|
Aarhus|Stockholm|Gothenburg|Malmö|Oslo|Bergen|Helsinki|Tampere|Reykjavik|Warsaw|Krakow|Kraków|
Gdansk|Wroclaw|Poznan|Prague|Brno|Bratislava|Budapest|Bucharest|Sofia|Belgrade|Zagreb|Ljubljana|
Sarajevo|Skopje|Tirana|Vilnius|Riga|Tallinn|Kyiv|Kiev|Lviv|Odessa|Minsk|Moscow|St. Petersburg|
Saint Petersburg|Istanbul|Ankara|Izmir|Jerusalem|Tel Aviv|Haifa|Beirut|Damascus|Baghdad|Tehran|
Riyadh|Jeddah|Mecca|Doha|Dubai|Abu Dhabi|Muscat|Kuwait City|Cairo|Alexandria|Casablanca|Rabat|
Marrakesh|Tunis|Algiers|Tripoli|Khartoum|Addis Ababa|Nairobi|Mombasa|Kampala|Kigali|Dar es Salaam|
Lagos|Abuja|Accra|Dakar|Abidjan|Kinshasa|Luanda|Lusaka|Harare|Maputo|Johannesburg|Pretoria|
Cape Town|Durban|Karachi|Lahore|Islamabad|Rawalpindi|Kabul|Delhi|New Delhi|Mumbai|Bombay|Bangalore|
Bengaluru|Chennai|Madras|Kolkata|Calcutta|Hyderabad|Pune|Ahmedabad|Jaipur|Lucknow|Dhaka|Colombo|
Kathmandu|Bangkok|Hanoi|Ho Chi Minh City|Saigon|Phnom Penh|Kuala Lumpur|Jakarta|Surabaya|Manila|
Cebu|Quezon City|Taipei|Seoul|Busan|Incheon|Tokyo|Osaka|Kyoto|Yokohama|Nagoya|Sapporo|Fukuoka|
Beijing|Shanghai|Shenzhen|Guangzhou|Chengdu|Wuhan|Nanjing|Hangzhou|Tianjin|Xi'an|Ulaanbaatar|
Tashkent|Almaty|Baku|Tbilisi|Yerevan|Sydney|Melbourne|Brisbane|Perth|Adelaide|Canberra|Hobart|
Auckland|Wellington|Christchurch|New York City|NYC|Los Angeles|Chicago|Houston|Philadelphia|
San Antonio|San Diego|Dallas|San Jose|Jacksonville|Fort Worth|Columbus|Charlotte|Indianapolis|
San Francisco|Seattle|Denver|Boston|Nashville|Detroit|Memphis|Louisville|Las Vegas|Baltimore|
Milwaukee|Albuquerque|Tucson|Fresno|Sacramento|Atlanta|Miami|Oakland|Minneapolis|Tulsa|Tampa|
New Orleans|Cleveland|Honolulu|Pittsburgh|Cincinnati|St. Louis|Orlando|Anchorage|Salt Lake City|
Brooklyn|Manhattan|Queens|the Bronx|Hollywood|Toronto|Montreal|Montréal|Vancouver|Calgary|Ottawa|
Edmonton|Winnipeg|Quebec City|Halifax|Mexico City|Guadalajara|Monterrey|Tijuana|Cancun|Havana|
San Juan|Santo Domingo|Port-au-Prince|Guatemala City|San Salvador|Tegucigalpa|Managua|Bogotá|Bogota|
Medellín|Medellin|Cali|Caracas|Quito|Guayaquil|Lima|La Paz|Santiago|Buenos Aires|Montevideo|
Asunción|São Paulo|Sao Paulo|Rio de Janeiro|Brasília|Brasilia|Salvador|Fortaleza|Belo Horizonte|
Curitiba|Recife|Porto Alegre"""

NATIONS: Final = """Afghan|Albanian|Algerian|American|Angolan|Arab|Argentine|Argentinian|Armenian|
Australian|Austrian|Azerbaijani|Bangladeshi|Belarusian|Belgian|Bolivian|Bosnian|Brazilian|British|
Bulgarian|Burmese|Cambodian|Cameroonian|Canadian|Chilean|Chinese|Colombian|Congolese|Costa Rican|
Croatian|Cuban|Cypriot|Czech|Danish|Dutch|Ecuadorian|Egyptian|Englishman|Englishwoman|Eritrean|
Estonian|Ethiopian|Filipino|Filipina|Finnish|French|Frenchman|Frenchwoman|Georgian|German|Ghanaian|
Greek|Guatemalan|Haitian|Honduran|Hungarian|Icelandic|Indian|Indonesian|Iranian|Iraqi|Irish|
Irishman|Israeli|Italian|Ivorian|Jamaican|Japanese|Jordanian|Kazakh|Kenyan|Korean|South Korean|
North Korean|Kurdish|Kuwaiti|Kyrgyz|Laotian|Latvian|Lebanese|Liberian|Libyan|Lithuanian|Macedonian|
Malaysian|Maltese|Mexican|Moldovan|Mongolian|Moroccan|Mozambican|Namibian|Nepalese|Nepali|
New Zealander|Nicaraguan|Nigerian|Norwegian|Omani|Pakistani|Palestinian|Panamanian|Paraguayan|
Peruvian|Portuguese|Qatari|Romanian|Russian|Rwandan|Salvadoran|Saudi|Scottish|Senegalese|Serbian|
Singaporean|Slovak|Slovakian|Slovenian|Somali|South African|Spaniard|Spanish|Sri Lankan|Sudanese|
Swede|Swedish|Swiss|Syrian|Taiwanese|Tanzanian|Thai|Tibetan|Tunisian|Turkish|Ugandan|Ukrainian|
Uruguayan|Uzbek|Venezuelan|Vietnamese|Welsh|Yemeni|Zambian|Zimbabwean|Asian|African|European|
Hispanic|Latino|Latina|African American|African-American|Asian American|Native American|Caucasian|
Slavic|Nordic|Scandinavian|Inuit|Maori|Roma|Tamil|Punjabi|Bengali"""
BELIEFS: Final = """Muslim|Islamic|Sunni|Shia|Shiite|Jewish|Jew|Hindu|Buddhist|Sikh|Jain|Catholic|
Roman Catholic|Protestant|Anglican|Lutheran|Methodist|Baptist|Presbyterian|Evangelical|Mormon|
Quaker|Jehovah's Witness|Orthodox Jew|Greek Orthodox|Russian Orthodox|Christianity|Islam|Judaism|
Hinduism|Buddhism|Sikhism|Atheist|Zoroastrian|Rastafarian|Scientologist|Wiccan|Pentecostal|Amish|
Republican|Democrat|Democrats|Republicans|Marxist|Zionist"""

FIRST_NAMES: Final = listed(
    """
    James John Robert Michael William David Richard Joseph Thomas Charles Christopher Daniel
    Matthew Anthony Donald Steven Steve Paul Andrew Andy Joshua Josh Kenneth Kevin Brian George
    Timothy Tim Ronald Edward Jason Jeffrey Jeff Ryan Jacob Gary Nicholas Nick Eric Jonathan
    Stephen Larry Justin Scott Brandon Benjamin Ben Samuel Sam Gregory Greg Alexander Alex
    Patrick Raymond Jerry Dennis Tyler Aaron Jose José Adam Nathan Henry Zachary Douglas Peter
    Kyle Noah Ethan Jeremy Keith Roger Terry Austin Sean Gerald Carl Harold Dylan Arthur
    Lawrence Jordan Jesse Bryan Billy Bruce Gabriel Joe Logan Alan Albert Willie Elijah Wayne
    Randy Vincent Mason Roy Ralph Bobby Bob Russell Bradley Philip Phil Eugene Tom Jim Jimmy
    Mike Dave Dan Matt Chris Tony Rob Will Jack Harry Oliver Liam Lucas Leo Oscar Max Felix Hugo
    Simon Martin Ian Neil Graham Colin Stuart Craig Derek Mary Patricia Jennifer Jenny Linda
    Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty Sandra Margaret Ashley Kimberly
    Kim Emily Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Sharon Laura Cynthia
    Dorothy Amy Kathleen Angela Shirley Emma Brenda Pamela Nicole Anna Samantha Katherine
    Christine Debra Rachel Carolyn Janet Maria María Olivia Heather Helen Catherine Diane Julie
    Victoria Joyce Lauren Kelly Christina Ruth Joan Virginia Judith Evelyn Hannah Andrea Megan
    Cheryl Jacqueline Madison Teresa Abigail Sophia Martha Sara Gloria Janice Kathryn Ann Anne
    Isabella Judy Charlotte Julia Amber Alice Jean Denise Frances Danielle Marilyn Natalie
    Beverly Diana Brittany Theresa Kayla Alexis Doris Lori Tiffany Kate Katie Liz Beth Sue Jane
    Lucy Ella Mia Chloe Lily Zoe Eva Clara Sophie Claire Fiona Gemma Hazel Isabel Louise Nina
    Nora Tina Wendy Mohammed Muhammad Mohamed Ahmed Ali Omar Hassan Hussein Ibrahim Yusuf Khalid
    Fatima Aisha Maryam Zainab Layla Noor Amina Priya Rahul Amit Raj Rajesh Sanjay Vijay Anil
    Sunil Deepak Ravi Arjun Rohan Vikram Anita Sunita Pooja Neha Kavita Lakshmi Divya Wei Ming
    Li Jun Hiroshi Yuki Kenji Sakura Min-jun Ji-woo Juan Carlos Luis Jorge Pedro Miguel Javier
    Diego Alejandro Fernando Pablo Manuel Sergio Andrés Rafael Carmen Ana Lucía Elena Rosa Marta
    Paula Camila Valentina Pierre Jacques Philippe François Nicolas Antoine Olivier Thierry
    Marie Camille Léa Manon Chloé Sylvie Nathalie Isabelle Hans Klaus Jürgen Wolfgang Uwe Stefan
    Andreas Markus Sebastian Tobias Jens Lukas Ursula Sabine Petra Monika Heike Birgit Anja
    Katrin Giuseppe Giovanni Marco Luca Matteo Francesco Alessandro Giulia Chiara Francesca
    Paolo Lars Erik Anders Ole Sven Nils Ingrid Astrid Freja Piotr Krzysztof Tomasz Katarzyna
    Agnieszka Ivan Dmitry Sergei Alexei Olga Svetlana Natalia Tatiana Jan Kees Pieter Johan
    Willem João Thiago Gustavo Felipe Beatriz Larissa Mehmet Mustafa Ayşe Elif Kwame Kofi Ama
    Chidi Ngozi Amara Thabo Sipho
    """,
)


@cache
def countries() -> tuple[str, ...]:
    """Return the names of countries in English (CLDR), and other names they go by."""
    from babel import Locale  # noqa: PLC0415  # reads its tables

    territories = Locale("en").territories
    names = {
        name.replace("St.", "Saint")
        for code, name in territories.items()
        if code.isalpha() and len(code) == len("US") and name not in _NOT_COUNTRIES
    }
    names |= {name.replace(" & ", " and ").replace("’", "'") for name in names}
    names |= {name.replace("ô", "o") for name in names}
    plain = {name for name in names if "(" not in name and "SAR" not in name}
    return (*sorted(plain), *listed(_COUNTRIES_TOO, "|"))
