#include "guards/glossary_private.h"

const struct gloss_row gloss_rows[] = {
    {MEANS_NUMBER, 0, 0,
     "en:zero,nil de:null fr:zéro es:cero it:zero pt:zero nl:nul pl:zero ru:ноль sv:noll tr:sıfır"},
    {MEANS_NUMBER, 1, 0,
     "en:one de:ein,eins,eine,einen,einem,einer fr:un,une es:un,uno,una it:un,uno,una pt:um,uma "
     "nl:een "
     "pl:jeden,jedna,jedno ru:один,одна,одно,одного sv:en,ett tr:bir"},
    {MEANS_NUMBER, 2, 0,
     "en:two,twice de:zwei,zwo,zweimal fr:deux es:dos it:due pt:dois,duas nl:twee "
     "pl:dwa,dwie,dwóch "
     "ru:два,две,двух sv:två tr:iki"},
    {MEANS_NUMBER, 3, 0,
     "en:three de:drei,dreimal fr:trois es:tres it:tre pt:três nl:drie pl:trzy,trzech "
     "ru:три,трёх,трех sv:tre tr:üç"},
    {MEANS_NUMBER, 4, 0,
     "en:four de:vier fr:quatre es:cuatro it:quattro pt:quatro nl:vier pl:cztery,czterech "
     "ru:четыре,четырёх,четырех "
     "sv:fyra tr:dört"},
    {MEANS_NUMBER, 5, 0,
     "en:five de:fünf fr:cinq es:cinco it:cinque pt:cinco nl:vijf pl:pięć,pięciu ru:пять,пяти "
     "sv:fem tr:beş,beşi"},
    {MEANS_NUMBER, 6, 0,
     "en:six de:sechs fr:six es:seis it:sei pt:seis nl:zes pl:sześć,sześciu ru:шесть,шести sv:sex "
     "tr:altı"},
    {MEANS_NUMBER, 7, 0,
     "en:seven de:sieben fr:sept es:siete it:sette pt:sete nl:zeven pl:siedem,siedmiu ru:семь,семи "
     "sv:sju tr:yedi"},
    {MEANS_NUMBER, 8, 0,
     "en:eight de:acht fr:huit es:ocho it:otto pt:oito nl:acht pl:osiem,ośmiu ru:восемь,восьми "
     "sv:åtta tr:sekiz"},
    {MEANS_NUMBER, 9, 0,
     "en:nine de:neun fr:neuf es:nueve it:nove pt:nove nl:negen pl:dziewięć,dziewięciu "
     "ru:девять,девяти sv:nio tr:dokuz"},
    {MEANS_NUMBER, 10, 0,
     "en:ten de:zehn fr:dix es:diez it:dieci pt:dez nl:tien pl:dziesięć,dziesięciu "
     "ru:десять,десяти sv:tio tr:on"},
    {MEANS_NUMBER, 11, 0,
     "en:eleven de:elf fr:onze es:once it:undici pt:onze nl:elf pl:jedenaście ru:одиннадцать "
     "sv:elva"},
    {MEANS_NUMBER, 12, 0,
     "en:twelve de:zwölf fr:douze es:doce it:dodici "
     "pt:doze nl:twaalf "
     "pl:dwanaście ru:двенадцать sv:tolv"},
    {MEANS_NUMBER, 13, 0,
     "en:thirteen de:dreizehn fr:treize es:trece it:tredici pt:treze nl:dertien pl:trzynaście "
     "ru:тринадцать sv:tretton"},
    {MEANS_NUMBER, 14, 0,
     "en:fourteen de:vierzehn fr:quatorze es:catorce it:quattordici pt:catorze,quatorze "
     "nl:veertien pl:czternaście "
     "ru:четырнадцать sv:fjorton"},
    {MEANS_NUMBER, 15, 0,
     "en:fifteen de:fünfzehn fr:quinze es:quince it:quindici pt:quinze nl:vijftien pl:piętnaście "
     "ru:пятнадцать sv:femton"},
    {MEANS_NUMBER, 16, 0,
     "en:sixteen de:sechzehn fr:seize es:dieciséis it:sedici pt:dezesseis,dezasseis nl:zestien "
     "pl:szesnaście "
     "ru:шестнадцать sv:sexton"},
    {MEANS_NUMBER, 17, 0,
     "en:seventeen de:siebzehn es:diecisiete it:diciassette pt:dezessete,dezassete nl:zeventien "
     "pl:siedemnaście "
     "ru:семнадцать sv:sjutton"},
    {MEANS_NUMBER, 18, 0,
     "en:eighteen de:achtzehn es:dieciocho it:diciotto pt:dezoito nl:achttien pl:osiemnaście "
     "ru:восемнадцать sv:arton"},
    {MEANS_NUMBER, 19, 0,
     "en:nineteen de:neunzehn es:diecinueve it:diciannove pt:dezenove,dezanove nl:negentien "
     "pl:dziewiętnaście "
     "ru:девятнадцать sv:nitton"},
    {MEANS_NUMBER, 20, 0,
     "en:twenty de:zwanzig fr:vingt,vingts es:veinte,veinti it:venti,vent pt:vinte nl:twintig "
     "pl:dwadzieścia "
     "ru:двадцать sv:tjugo tr:yirmi"},
    {MEANS_NUMBER, 30, 0,
     "en:thirty de:dreißig fr:trente es:treinta it:trenta,trent pt:trinta nl:dertig pl:trzydzieści "
     "ru:тридцать "
     "sv:trettio tr:otuz"},
    {MEANS_NUMBER, 40, 0,
     "en:forty de:vierzig fr:quarante es:cuarenta it:quaranta,quarant pt:quarenta nl:veertig "
     "pl:czterdzieści ru:сорок "
     "sv:fyrtio tr:kırk"},
    {MEANS_NUMBER, 50, 0,
     "en:fifty de:fünfzig fr:cinquante es:cincuenta it:cinquanta,cinquant pt:cinquenta nl:vijftig "
     "pl:pięćdziesiąt "
     "ru:пятьдесят sv:femtio tr:elli"},
    {MEANS_NUMBER, 60, 0,
     "en:sixty de:sechzig fr:soixante es:sesenta it:sessanta,sessant pt:sessenta nl:zestig "
     "pl:sześćdziesiąt "
     "ru:шестьдесят sv:sextio tr:altmış"},
    {MEANS_NUMBER, 70, 0,
     "en:seventy de:siebzig fr:septante es:setenta it:settanta,settant pt:setenta nl:zeventig "
     "pl:siedemdziesiąt "
     "ru:семьдесят sv:sjuttio tr:yetmiş"},
    {MEANS_NUMBER, 80, 0,
     "en:eighty de:achtzig fr:octante es:ochenta it:ottanta,ottant pt:oitenta nl:tachtig "
     "pl:osiemdziesiąt "
     "ru:восемьдесят sv:åttio tr:seksen"},
    {MEANS_NUMBER, 90, 0,
     "en:ninety de:neunzig fr:nonante es:noventa it:novanta,novant pt:noventa nl:negentig "
     "pl:dziewięćdziesiąt "
     "ru:девяносто sv:nittio tr:doksan"},
    {MEANS_NUMBER, 1, 0, "一"},
    {MEANS_NUMBER, 2, 0, "二,两"},
    {MEANS_NUMBER, 3, 0, "三"},
    {MEANS_NUMBER, 4, 0, "四"},
    {MEANS_NUMBER, 5, 0, "五"},
    {MEANS_NUMBER, 6, 0, "六"},
    {MEANS_NUMBER, 7, 0, "七"},
    {MEANS_NUMBER, 8, 0, "八"},
    {MEANS_NUMBER, 9, 0, "九"},
    {MEANS_NUMBER, 10, 0, "十"},
    {MEANS_MULTIPLIER, 12, 0,
     "en:dozen de:dutzend fr:douzaine es:docena it:dozzina pt:dúzia nl:dozijn"},
    {MEANS_MULTIPLIER, 100, 0,
     "en:hundred,hundreds de:hundert,hunderte fr:cent,cents es:cien,ciento,cientos,cientas "
     "it:cento pt:cem,cento,centos nl:honderd "
     "pl:sto,set ru:сто,сот sv:hundra tr:yüz"},
    {MEANS_NUMBER, 200, 0, "es:doscientos,doscientas pt:duzentos,duzentas pl:dwieście ru:двести"},
    {MEANS_NUMBER, 300, 0,
     "es:trescientos,trescientas pt:trezentos,trezentas pl:trzysta ru:триста"},
    {MEANS_NUMBER, 400, 0, "es:cuatrocientos pt:quatrocentos pl:czterysta ru:четыреста"},
    {MEANS_NUMBER, 500, 0,
     "es:quinientos,quinientas pt:quinhentos,quinhentas pl:pięćset ru:пятьсот"},
    {MEANS_NUMBER, 600, 0, "es:seiscientos pt:seiscentos pl:sześćset ru:шестьсот"},
    {MEANS_NUMBER, 700, 0, "es:setecientos pt:setecentos pl:siedemset ru:семьсот"},
    {MEANS_NUMBER, 800, 0, "es:ochocientos pt:oitocentos pl:osiemset ru:восемьсот"},
    {MEANS_NUMBER, 900, 0, "es:novecientos pt:novecentos pl:dziewięćset ru:девятьсот"},
    {MEANS_MULTIPLIER, 1e3, 0,
     "千 en:thousand,thousands de:tausend,tausende,tsd fr:mille,milliers es:mil,miles "
     "it:mille,mila "
     "pt:mil,milhares nl:duizend "
     "pl:tysiąc,tysiące,tysięcy,tys ru:тысяча,тысячи,тысяч,тыс sv:tusen tr:bin"},
    {MEANS_MULTIPLIER, 1e6, 0,
     "en:million,millions,mn de:million,millionen,mio fr:million,millions es:millón,millones "
     "it:milione,milioni,mln "
     "pt:milhão,milhões nl:miljoen,mln pl:milion,miliona,miliony,milionów,mln "
     "ru:миллион,миллиона,миллионов,млн sv:miljon,miljoner,mkr tr:milyon"},
    {MEANS_MULTIPLIER, 1e9, 0,
     "en:billion,billions,bn de:milliarde,milliarden,mrd fr:milliard,milliards,mds es:millardo "
     "it:miliardo,miliardi,mld "
     "pt:bilhão,bilhões nl:miljard,mld pl:miliard,miliardy,miliardów,mld "
     "ru:миллиард,миллиарда,миллиардов,млрд sv:miljard,miljarder "
     "tr:milyar"},
    {MEANS_MULTIPLIER, 1e12, 0, "en:trillion,trillions de:billion,billionen"},
    {MEANS_MULTIPLIER, 1e4, 0, "万 萬"},
    {MEANS_MULTIPLIER, 1e8, 0, "亿 億"},
    {MEANS_SCALE, 1e3, 0, "k"},
    {MEANS_SCALE, 1e6, 0, "m mio"},
    {MEANS_SCALE, 1e9, 0, "b bn md"},

    {MEANS_ORDINAL, 1, 0,
     "en:first de:erste,ersten,erster,erstes fr:premier,première es:primer,primero,primera "
     "it:primo,prima pt:primeiro,primeira "
     "nl:eerste pl:pierwszy ru:первый,первая sv:första"},
    {MEANS_ORDINAL, 2, 0,
     "en:second de:zweite,zweiten,zweiter,zweites fr:deuxième,second es:segundo,segunda "
     "it:secondo,seconda "
     "pt:segundo,segunda nl:tweede pl:drugi ru:второй,вторая sv:andra"},
    {MEANS_ORDINAL, 3, 0,
     "en:third de:dritte,dritten,dritter,drittes fr:troisième es:tercer,tercero,tercera "
     "it:terzo,terza pt:terceiro,terceira "
     "nl:derde pl:trzeci ru:третий,третья sv:tredje"},
    {MEANS_ORDINAL, 4, 0,
     "en:fourth de:vierte,vierten,vierter,viertes fr:quatrième es:cuarto,cuarta it:quarto,quarta "
     "pt:quarto,quarta nl:vierde "
     "pl:czwarty ru:четвёртый,четвертый sv:fjärde"},
    {MEANS_ORDINAL, 5, 0,
     "en:fifth de:fünfte,fünften,fünfter fr:cinquième es:quinto,quinta it:quinto,quinta "
     "pt:quinto,quinta nl:vijfde pl:piąty ru:пятый"},
    {MEANS_ORDINAL, 6, 0,
     "en:sixth de:sechste,sechsten fr:sixième es:sexto,sexta it:sesto,sesta pt:sexto,sexta "
     "nl:zesde"},
    {MEANS_ORDINAL, 7, 0,
     "en:seventh de:siebte,siebten fr:septième es:séptimo,séptima it:settimo,settima "
     "pt:sétimo,sétima nl:zevende"},
    {MEANS_ORDINAL, 8, 0,
     "en:eighth de:achte,achten fr:huitième es:octavo,octava it:ottavo,ottava pt:oitavo,oitava "
     "nl:achtste"},
    {MEANS_ORDINAL, 9, 0,
     "en:ninth de:neunte,neunten fr:neuvième es:noveno,novena it:nono,nona pt:nono,nona "
     "nl:negende"},
    {MEANS_ORDINAL, 10, 0,
     "en:tenth de:zehnte,zehnten fr:dixième es:décimo,décima it:decimo,decima pt:décimo,décima "
     "nl:tiende"},
    {MEANS_ORDINAL, 11, 0, "en:eleventh de:elfte,elften"},
    {MEANS_ORDINAL, 12, 0, "en:twelfth de:zwölfte,zwölften"},
    {MEANS_ORDINAL, 13, 0, "en:thirteenth de:dreizehnte,dreizehnten"},
    {MEANS_ORDINAL, 14, 0, "en:fourteenth de:vierzehnte,vierzehnten"},
    {MEANS_ORDINAL, 15, 0, "en:fifteenth de:fünfzehnte,fünfzehnten"},
    {MEANS_ORDINAL, 16, 0, "en:sixteenth"},
    {MEANS_ORDINAL, 17, 0, "en:seventeenth"},
    {MEANS_ORDINAL, 18, 0, "en:eighteenth"},
    {MEANS_ORDINAL, 19, 0, "en:nineteenth"},
    {MEANS_ORDINAL, 20, 0, "en:twentieth de:zwanzigste,zwanzigsten"},
    {MEANS_ORDINAL, 30, 0, "en:thirtieth"},
    {MEANS_ORDINAL, 40, 0, "en:fortieth"},
    {MEANS_ORDINAL, 50, 0, "en:fiftieth"},
    {MEANS_ORDINAL, 100, 0, "en:hundredth"},

    {MEANS_FRACTION, 1 / 2., 0,
     "en:half,halves de:halb,halbe,halben,halber,halbes,hälfte fr:demi,demie,moitié "
     "es:medio,media,mitad it:mezzo,mezza,metà "
     "pt:meio,meia,metade nl:half,halve,helft pl:pół,połowa,połowę "
     "ru:половина,половиной,половину,пол sv:halv,halva,hälften tr:yarım,yarısı"},
    {MEANS_FRACTION, 1 / 3., 0,
     "en:third,thirds de:drittel fr:tiers es:tercio,tercios it:terzo,terzi pt:terço,terços "
     "nl:derde sv:tredjedel,tredjedelar"},
    {MEANS_FRACTION, 1 / 4., 0,
     "en:quarter,quarters de:viertel fr:quart,quarts es:cuarto,cuartos it:quarto,quarti "
     "pt:quarto,quartos nl:kwart "
     "sv:fjärdedel,fjärdedelar,kvart"},
    {MEANS_FRACTION, 1 / 5., 0,
     "en:fifth,fifths de:fünftel fr:cinquième,cinquièmes es:quinto,quintos it:quinto,quinti "
     "pt:quinto,quintos nl:vijfde"},
    {MEANS_FRACTION, 1 / 6., 0, "en:sixth,sixths de:sechstel fr:sixième,sixièmes"},
    {MEANS_FRACTION, 1 / 8., 0, "en:eighth,eighths de:achtel fr:huitième,huitièmes"},
    {MEANS_FRACTION, 1 / 10., 0, "en:tenth,tenths de:zehntel fr:dixième,dixièmes"},
    {MEANS_FRACTION, 3 / 4., 0, "de:dreiviertel"},
    {MEANS_FRACTION, 1.5, 0, "de:anderthalb nl:anderhalf,anderhalve ru:полтора,полторы pl:półtora"},

    {MEANS_MONTH, 1, 0,
     "en:january,jan de:januar,jänner,jan fr:janvier,janv es:enero,ene it:gennaio,gen pt:janeiro "
     "nl:januari pl:stycznia,styczeń,styczniu "
     "ru:январь,января,январе sv:januari tr:ocak"},
    {MEANS_MONTH, 2, 0,
     "en:february,feb de:februar,feber fr:février,févr es:febrero it:febbraio pt:fevereiro "
     "nl:februari pl:lutego,luty,lutym "
     "ru:февраль,февраля,феврале sv:februari tr:şubat"},
    {MEANS_MONTH, 3, 0,
     "en:march,mar de:märz,maerz,mrz fr:mars es:marzo it:marzo pt:março nl:maart "
     "pl:marca,marzec,marcu ru:март,марта,марте sv:mars "
     "tr:mart"},
    {MEANS_MONTH, 4, 0,
     "en:april,apr de:april,apr fr:avril,avr es:abril,abr it:aprile pt:abril nl:april "
     "pl:kwietnia,kwiecień,kwietniu "
     "ru:апрель,апреля,апреле sv:april tr:nisan"},
    {MEANS_MONTH, 5, 0,
     "en:may de:mai fr:mai es:mayo it:maggio,mag pt:maio,mai nl:mei pl:maja,maj,maju "
     "ru:май,мая,мае sv:maj tr:mayıs"},
    {MEANS_MONTH, 6, 0,
     "en:june,jun de:juni,jun fr:juin es:junio it:giugno,giu pt:junho nl:juni "
     "pl:czerwca,czerwiec,czerwcu ru:июнь,июня,июне sv:juni "
     "tr:haziran"},
    {MEANS_MONTH, 7, 0,
     "en:july,jul de:juli,jul fr:juillet,juil es:julio it:luglio,lug pt:julho nl:juli "
     "pl:lipca,lipiec,lipcu ru:июль,июля,июле sv:juli "
     "tr:temmuz"},
    {MEANS_MONTH, 8, 0,
     "en:august,aug de:august,aug fr:août es:agosto,ago it:agosto,ago pt:agosto,ago nl:augustus "
     "pl:sierpnia,sierpień,sierpniu "
     "ru:август,августа,августе sv:augusti tr:ağustos"},
    {MEANS_MONTH, 9, 0,
     "en:september,sep,sept de:september,sept fr:septembre,sept es:septiembre,setiembre,sep "
     "it:settembre,set pt:setembro,set nl:september "
     "pl:września,wrzesień,wrześniu ru:сентябрь,сентября,сентябре sv:september tr:eylül"},
    {MEANS_MONTH, 10, 0,
     "en:october,oct de:oktober,okt fr:octobre,oct es:octubre,oct it:ottobre,ott pt:outubro,out "
     "nl:oktober,okt "
     "pl:października,październik,październiku ru:октябрь,октября,октябре sv:oktober tr:ekim"},
    {MEANS_MONTH, 11, 0,
     "en:november,nov de:november,nov fr:novembre,nov es:noviembre,nov it:novembre pt:novembro "
     "nl:november pl:listopada,listopad,listopadzie "
     "ru:ноябрь,ноября,ноябре sv:november tr:kasım"},
    {MEANS_MONTH, 12, 0,
     "en:december,dec de:dezember,dez fr:décembre,déc es:diciembre,dic it:dicembre,dic "
     "pt:dezembro,dez nl:december "
     "pl:grudnia,grudzień,grudniu ru:декабрь,декабря,декабре sv:december tr:aralık"},

    {MEANS_WEEKDAY, 1, 0,
     "en:monday,mondays,mon de:montag,montags fr:lundi es:lunes it:lunedì pt:segunda-feira "
     "nl:maandag pl:poniedziałek ru:понедельник sv:måndag,måndagen"},
    {MEANS_WEEKDAY, 2, 0,
     "en:tuesday,tuesdays,tue,tues de:dienstag,dienstags fr:mardi es:martes it:martedì nl:dinsdag "
     "pl:wtorek ru:вторник sv:tisdag,tisdagen"},
    {MEANS_WEEKDAY, 3, 0,
     "en:wednesday,wednesdays,wed de:mittwoch,mittwochs fr:mercredi es:miércoles it:mercoledì "
     "nl:woensdag pl:środa,środę ru:среда,среду sv:onsdag,onsdagen"},
    {MEANS_WEEKDAY, 4, 0,
     "en:thursday,thursdays,thu,thurs de:donnerstag,donnerstags fr:jeudi es:jueves it:giovedì "
     "nl:donderdag pl:czwartek ru:четверг sv:torsdag,torsdagen"},
    {MEANS_WEEKDAY, 5, 0,
     "en:friday,fridays,fri de:freitag,freitags fr:vendredi es:viernes it:venerdì nl:vrijdag "
     "pl:piątek ru:пятница,пятницу sv:fredag,fredagen"},
    {MEANS_WEEKDAY, 6, 0,
     "en:saturday,saturdays,sat de:samstag,samstags,sonnabend fr:samedi es:sábado it:sabato "
     "pt:sábado nl:zaterdag pl:sobota,sobotę ru:суббота,субботу sv:lördag,lördagen"},
    {MEANS_WEEKDAY, 7, 0,
     "en:sunday,sundays,sun de:sonntag,sonntags fr:dimanche es:domingo it:domenica pt:domingo "
     "nl:zondag pl:niedziela,niedzielę ru:воскресенье sv:söndag,söndagen"},
    {MEANS_QUARTER, 0, 0,
     "en:quarter de:quartal,quartals fr:trimestre es:trimestre it:trimestre pt:trimestre "
     "nl:kwartaal pl:kwartał,kwartale sv:kvartalet,kvartal ru:квартал,квартале"},

    {MEANS_UNIT, 1, DIM_PERCENT,
     "en:percent,pct de:prozent fr:pourcent pl:procent,procenta ru:процент,процента,процентов "
     "nl:procent sv:procent"},
    {MEANS_UNIT, 1, DIM_SECONDS,
     "s sec secs en:second,seconds de:sekunde,sekunden fr:seconde,secondes es:segundo,segundos "
     "it:secondo,secondi pt:segundos nl:seconde,seconden "
     "pl:sekund,sekundy ru:секунд,секунды sv:sekunder"},
    {MEANS_UNIT, 60, DIM_SECONDS,
     "min mins en:minute,minutes de:minute,minuten fr:minute,minutes es:minuto,minutos "
     "it:minuto,minuti pt:minuto,minutos nl:minuut,minuten "
     "pl:minut,minuty ru:минут,минуты sv:minuter"},
    {MEANS_UNIT, 3600, DIM_SECONDS,
     "h hr hrs en:hour,hours,hourly de:stunde,stunden,stündig fr:heure,heures es:hora,horas "
     "it:ora,ore pt:hora,horas nl:uur,uren "
     "pl:godzin,godziny,godzina ru:час,часа,часов sv:timmar,timme"},
    {MEANS_UNIT, 86400, DIM_SECONDS,
     "en:day,days de:tag,tage,tagen,tägig fr:jour,jours es:día,días it:giorno,giorni pt:dia,dias "
     "nl:dag,dagen pl:dni,dzień ru:день,дня,дней "
     "sv:dagar,dag tr:gün"},
    {MEANS_UNIT, 604800, DIM_SECONDS,
     "en:week,weeks de:woche,wochen,wöchig fr:semaine,semaines es:semana,semanas "
     "it:settimana,settimane pt:semana,semanas nl:week,weken "
     "pl:tygodni,tygodnie,tydzień ru:неделя,недели,недель sv:veckor,vecka tr:hafta"},
    {MEANS_UNIT, 1209600, DIM_SECONDS, "en:fortnight,fortnights"},
    {MEANS_UNIT, 1, DIM_MONTHS,
     "en:month,months,mo de:monat,monate,monaten,monats,monatig fr:mois es:mes,meses it:mese,mesi "
     "pt:mês,meses nl:maand,maanden pl:miesięcy,miesiące,miesiąc "
     "ru:месяц,месяца,месяцев sv:månader,månad"},
    {MEANS_UNIT, 12, DIM_MONTHS,
     "en:year,years,yr,yrs de:jahr,jahre,jahren,jahres,jährig fr:an,ans,année,années es:año,años "
     "it:anno,anni pt:ano,anos nl:jaar,jaren "
     "pl:lat,lata,rok ru:год,года,лет sv:år tr:yıl"},
    {MEANS_UNIT, 120, DIM_MONTHS,
     "en:decade,decades de:jahrzehnt,jahrzehnte fr:décennie,décennies"},
    {MEANS_UNIT, 1e-3, DIM_GRAMS, "mg en:milligram,milligrams de:milligramm"},
    {MEANS_UNIT, 1e-6, DIM_GRAMS, "µg mcg en:microgram,micrograms"},
    {MEANS_UNIT, 1, DIM_GRAMS,
     "g gr en:gram,grams,gramme,grammes de:gramm fr:gramme,grammes es:gramo,gramos "
     "it:grammo,grammi pt:grama,gramas nl:gram"},
    {MEANS_UNIT, 1e3, DIM_GRAMS,
     "kg en:kilogram,kilograms,kilo,kilos de:kilogramm,kilo fr:kilo,kilos es:kilo,kilos,kilogramos "
     "it:chilo,chili pt:quilo,quilos nl:kilo"},
    {MEANS_UNIT, 1e6, DIM_GRAMS,
     "en:tonne,tonnes,ton,tons de:tonne,tonnen fr:tonne,tonnes es:tonelada,toneladas it:tonnellate "
     "pt:toneladas nl:ton"},
    {MEANS_UNIT, 1e-3, DIM_METRES,
     "mm en:millimetre,millimetres,millimeter,millimeters de:millimeter"},
    {MEANS_UNIT, 1e-2, DIM_METRES,
     "cm en:centimetre,centimetres,centimeter,centimeters de:zentimeter"},
    {MEANS_UNIT, 1, DIM_METRES,
     "en:metre,metres,meter,meters de:meter,metern fr:mètre,mètres es:metro,metros it:metro,metri "
     "pt:metros nl:meter"},
    {MEANS_UNIT, 1e3, DIM_METRES,
     "km en:kilometre,kilometres,kilometer,kilometers de:kilometer,kilometern "
     "fr:kilomètre,kilomètres es:kilómetro,kilómetros "
     "it:chilometri,chilometro pt:quilómetros,quilômetros nl:kilometer"},
    {MEANS_UNIT, 1e-3, DIM_LITRES,
     "ml en:millilitre,millilitres,milliliter,milliliters de:milliliter"},
    {MEANS_UNIT, 1e-2, DIM_LITRES, "cl"},
    {MEANS_UNIT, 1e-1, DIM_LITRES, "dl"},
    {MEANS_UNIT, 1, DIM_LITRES,
     "l en:litre,litres,liter,liters de:liter,litern fr:litre,litres es:litro,litros "
     "it:litro,litri pt:litro,litros nl:liter"},
    {MEANS_UNIT, 3, DIM_SPOONS, "tbsp en:tablespoon,tablespoons de:esslöffel,el"},
    {MEANS_UNIT, 1, DIM_SPOONS, "tsp en:teaspoon,teaspoons de:teelöffel,tl"},
    {MEANS_UNIT, 1e3, DIM_BYTES, "kb"},
    {MEANS_UNIT, 1e6, DIM_BYTES, "mb en:megabyte,megabytes"},
    {MEANS_UNIT, 1e9, DIM_BYTES, "gb en:gigabyte,gigabytes"},
    {MEANS_UNIT, 1e12, DIM_BYTES, "tb en:terabyte,terabytes"},
    {MEANS_UNIT, 1, DIM_WATTS, "w en:watt,watts de:watt"},
    {MEANS_UNIT, 1e3, DIM_WATTS, "kw en:kilowatt,kilowatts de:kilowatt"},
    {MEANS_UNIT, 1e6, DIM_WATTS, "mw en:megawatt,megawatts de:megawatt"},
    {MEANS_UNIT, 1e9, DIM_WATTS, "gw en:gigawatt,gigawatts de:gigawatt"},
    {MEANS_UNIT, 1e3, DIM_WATT_HOURS, "kwh"},
    {MEANS_UNIT, 1e6, DIM_WATT_HOURS, "mwh"},
    {MEANS_UNIT, 1e9, DIM_WATT_HOURS, "gwh"},
    {MEANS_UNIT, 1e12, DIM_WATT_HOURS, "twh"},
    {MEANS_UNIT, 0.01, DIM_MONEY,
     "en:cent,cents,pence de:cent fr:centime,centimes es:céntimo,céntimos it:centesimi"},
    {MEANS_UNIT, 1, DIM_DOLLARS,
     "usd cad aud en:dollar,dollars de:dollar es:dólares,pesos it:dollari pt:reais,dólares"},
    {MEANS_UNIT, 1, DIM_EUROS, "eur euro euros"},
    {MEANS_UNIT, 1, DIM_POUNDS, "gbp en:pound,pounds"},
    {MEANS_UNIT, 1, DIM_YEN, "jpy en:yen"},
    {MEANS_UNIT, 1, DIM_FRANCS, "chf en:francs de:franken fr:francs"},
    {MEANS_UNIT, 1, DIM_CROWNS, "nok sek dkk en:kronor,kroner"},
    {MEANS_UNIT, 1, DIM_ZLOTY, "pln en:zloty"},

    {MEANS_NOON, 720, 0,
     "en:noon,midday de:mittag,mittags fr:midi es:mediodía it:mezzogiorno pt:meio-dia nl:middag"},
    {MEANS_NOON, 0, 0,
     "en:midnight de:mitternacht fr:minuit es:medianoche it:mezzanotte pt:meia-noite "
     "nl:middernacht"},
    {MEANS_HALFDAY, 0, 0, "am en:morning de:morgens,vormittags"},
    {MEANS_HALFDAY, 720, 0, "pm en:afternoon,evening de:nachmittags,abends"},
    {MEANS_CLOCK, 0, 0,
     "en:o'clock,oclock de:uhr fr:heures,heure,h nl:uur es:horas pt:horas,h it:ore"},
    {MEANS_PAST, 1, 0, "en:past"},
    {MEANS_PAST, 0, 0, "en:after de:nach"},
    {MEANS_BEFORE, 0, 0, "en:to,before de:vor"},
    {MEANS_AT, 0, 0,
     "en:at,by,from,until,till,before,after,between,around,to de:um,ab,bis,gegen fr:à,vers,dès "
     "es:las,la it:alle,dalle,ore "
     "pt:às,as nl:om,tot pl:o,od,do ru:в,с,до sv:klockan,kl tr:saat"},
    {MEANS_AND, 0, 0,
     "en:and,plus de:und fr:et es:y,e it:e,ed pt:e nl:en pl:i ru:и,с sv:och tr:ve"},
    {MEANS_AND, 0, 0, "en:or de:oder fr:ou es:o it:o pt:ou nl:of pl:lub ru:или sv:eller"},
    {MEANS_TO, 0, 0,
     "en:to,through,until,till,thru de:bis fr:à,au es:a,al,hasta it:a,al pt:a,até nl:tot pl:do "
     "ru:до,по sv:till"},
    {MEANS_OF, 0, 0,
     "en:of,the de:den,der,dem fr:de,du,le es:de,del,el it:di,del,il pt:de,do nl:van sv:den"},
    {MEANS_A, 0, 0,
     "en:a,an,one de:ein,eine,einen,einem,einer fr:un,une es:un,una it:un,una,uno "
     "pt:um,uma nl:een sv:en,ett"},
    {MEANS_ABOUT, 0, 0,
     "en:about,around,nearly,almost,over,roughly,approximately,some,exceeding,than,under,approx,ca,"
     "circa de:etwa,rund,fast,über,knapp,als,ca,gut "
     "fr:environ,près,plus,quelque,presque es:unos,unas,casi,más,cerca,aproximadamente "
     "it:circa,quasi,oltre,più pt:cerca,quase,mais "
     "nl:ongeveer,bijna,ruim,meer pl:około,ponad,prawie ru:около,более,почти,примерно "
     "sv:omkring,cirka,nästan,drygt"},
    {MEANS_SUFFIX, 0, 0,
     "en:st,nd,rd,th fr:er,ère,e,ème,eme,nd es:er,ro,ra,do,a,o it:a,o pt:a,o nl:e,de,ste sv:a,e"},

    {MEANS_SMALL, 0, 0,
     "en:i,a,an,the,of,and,or,but,if,when,while,as,at,by,for,from,in,into,on,onto,to,with,without,"
     "within,under,over,after,before,during,since,until,till,through,throughout,"
     "both,each,every,all,any,some,no,not,nor,so,yet,it,its,he,his,him,she,her,hers,they,their,"
     "them,we,our,us,you,your,my,me,this,that,these,those,there,here,then,than,"
     "what,which,who,whom,whose,where,why,how,is,are,was,were,be,been,being,has,have,had,do,does,"
     "did,will,would,can,could,may,might,must,shall,should,"
     "one,two,most,many,much,more,less,few,several,other,another,such,only,also,just,even,still,"
     "however,although,though,because,despite,given,per,about,around,"
     "between,among,against,according,based,due,following,including,meanwhile,instead,once,out,up,"
     "down,off,again,later,earlier,now,today,yesterday,tomorrow,"
     "new,key,please,yes,ok,note,total,next,last,first,none,later,nearly,roughly,almost,overall,"
     "although,whereas,neither,either"},
    {MEANS_SMALL, 0, 0,
     "de:der,die,das,des,dem,den,ein,eine,einer,eines,einem,einen,und,oder,aber,doch,in,im,ins,am,"
     "an,auf,aus,bei,beim,bis,durch,für,gegen,mit,nach,ohne,seit,über,um,unter,"
     "von,vom,vor,während,wegen,zu,zum,zur,zwischen,ab,als,wie,wenn,weil,dass,ob,da,er,sie,es,wir,"
     "ihr,ihre,ihrer,sein,seine,seiner,dies,diese,dieser,dieses,jede,jeder,jedes,"
     "alle,beide,kein,keine,nicht,auch,nur,noch,schon,so,dann,danach,dort,hier,laut,insgesamt,rund,"
     "etwa,man,was,wer,wo,wird,werden,wurde,wurden,ist,sind,war,waren,hat,haben"},
    {MEANS_SMALL, 0, 0,
     "fr:le,la,les,l,un,une,des,du,de,d,et,ou,mais,en,dans,à,au,aux,avec,sans,pour,par,sur,sous,"
     "selon,depuis,pendant,après,avant,entre,vers,chez,lors,dès,il,elle,ils,elles,on,nous,"
     "vous,je,j,son,sa,ses,leur,leurs,ce,cet,cette,ces,c,qui,que,qu,quand,si,s,n,ne,pas,plus,tous,"
     "toutes,tout,chaque,est,sont,a,ont,deux,trois"},
    {MEANS_SMALL, 0, 0,
     "es:el,la,los,las,un,una,unos,unas,y,e,o,u,pero,en,de,del,al,a,con,sin,por,para,según,desde,"
     "hasta,durante,tras,entre,sobre,su,sus,este,esta,estos,estas,ese,esa,se,lo,le,les,"
     "no,que,si,cuando,como,es,son,fue,ha,han,cada,todos,todas,ambos,ellos,ella,él,hay,también,"
     "más"},
    {MEANS_SMALL, 0, 0,
     "it:il,lo,la,i,gli,le,l,un,uno,una,e,ed,o,ma,in,nel,nella,nei,di,del,della,dei,delle,degli,"
     "dell,da,dal,dalla,a,al,alla,ai,alle,con,senza,per,tra,fra,su,sul,sulla,secondo,dopo,prima,"
     "durante,il,suo,sua,suoi,questo,questa,si,non,che,se,quando,come,è,sono,ha,hanno,ogni,tutti,"
     "entrambi"},
    {MEANS_SMALL, 0, 0,
     "pt:o,a,os,as,um,uma,e,ou,mas,em,no,na,nos,nas,de,do,da,dos,das,ao,à,aos,às,com,sem,por,pelo,"
     "pela,para,segundo,desde,até,durante,após,entre,sobre,seu,sua,este,esta,se,não,que,"
     "quando,como,é,são,foi,cada,todos,ambos,ele,ela"},
    {MEANS_SMALL, 0, 0,
     "nl:de,het,een,en,of,maar,in,op,aan,bij,met,zonder,voor,van,door,over,onder,na,sinds,tot,"
     "tussen,volgens,tijdens,zijn,haar,hun,hij,zij,ze,we,dit,deze,die,dat,er,niet,ook,als,wanneer,"
     "is,was,werd,heeft,elke,alle,beide"},
    {MEANS_SMALL, 0, 0,
     "sv:den,det,de,en,ett,och,eller,men,i,på,av,för,från,med,utan,till,om,under,efter,före,mellan,"
     "enligt,hans,hennes,han,hon,som,när,är,var,har "
     "pl:w,we,z,ze,na,do,od,dla,po,przed,przez,i,oraz,a,ale,nie,to,ten,ta,jest,są,był,była,jak,gdy,"
     "według,podczas "
     "ru:в,во,на,с,со,из,от,до,для,по,при,и,а,но,не,это,он,она,они,его,её,ее,их,как,когда,что,был,"
     "была,были,после,за "
     "tr:ve,bir,bu,ile,için,da,de"},
    {MEANS_TITLE, 0, 0,
     "mr mrs ms miss dr prof rev st sr jr hon gen col capt lt sgt "
     "en:professor,doctor,reverend,councillor,cllr,sir,lady,lord,captain,president,minister,"
     "senator,mayor,judge,justice,"
     "director,manager,coach,sergeant,inspector,nurse,chair,chairman,chairwoman,chancellor,"
     "secretary,officer,chief,vs,no,dept,inc,ltd,co,corp,approx,fig,al,art "
     "de:herr,herrn,frau,dr,prof,ing,dipl,oberarzt,oberärztin,richter,richterin,bzw,ca,nr,str,abs,"
     "vgl,usw,inkl "
     "fr:m,mme,mlle,me,maître,docteur es:sr,sra,srta,don,doña,dra,ud,núm "
     "it:sig,dott,avv,ing,signor,signora pt:sra,dra,dom,dona nl:dhr,mevr,mw,nr"},
    {MEANS_COMMON, 0, 0,
     "euro euros eur usd gbp sek nok dkk chf ceo cfo cto coo vp pr hr it uk us usa eu un internet "
     "celsius fahrenheit am pm ok id url api pdf faq tv gdp vat nda kpi roi "
     "en:english,german,french,spanish,italian,british,american,european,christmas,easter,celsius,"
     "board,company,committee,agreement,customer,client,party,parties,tenant,landlord,"
     "state,court,council,government,article,section,clause,chapter,page,figure,table,appendix,"
     "north,south,east,west,bc,ad,ce "
     "de:deutsch,englisch,euro,uhr,prozent fr:français es:español it:italiano"},
    {MEANS_FREQUENT, 0, 0,
     "en:the,of,and,to,in,is,was,were,for,that,with,by,from,has,have,it,on,as,at,be,are "
     "de:der,die,das,und,ist,nicht,wird,wurde,den,dem,ein,eine,mit,von,auf,zu,im,am,des,für "
     "fr:le,la,les,de,en,des,et,est,une,du,dans,pour,qui,sur,par,au,ont,que,avec "
     "es:el,la,los,las,de,en,y,es,una,del,en,por,con,que,se,para,fue,al,su "
     "it:il,lo,gli,di,è,una,del,della,che,per,con,nel,sono,le,da,al,ha "
     "pt:o,os,as,de,e,é,uma,do,da,que,em,para,com,não,no,na,foi,dos "
     "nl:de,het,een,en,van,is,op,voor,met,niet,zijn,dat,in,te,werd "
     "pl:w,na,z,się,i,do,nie,jest,o,że,oraz,po,przez "
     "ru:в,и,на,с,не,по,что,от,для,за,к,из "
     "sv:och,att,det,som,på,av,för,är,med,den,till,inte,ett "
     "tr:ve,bir,bu,için,ile,da,de,olarak,çok,daha"},
    {0, 0, 0, 0}};
